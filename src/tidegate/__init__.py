"""Tidegate: event-driven MLOps on AWS Step Functions that also runs, unchanged, on a laptop."""

from pkgutil import extend_path

# The two Lambda layers each carry a part of this package, and may lie in different folders of the path.
__path__ = extend_path(__path__, __name__)

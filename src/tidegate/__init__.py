"""Tidegate: event-driven MLOps on AWS Step Functions that also runs, unchanged, on a laptop."""

"""What runs inside a container here: the registry of images and the programs that stand for AWS's own.

Nothing in this package knows the SageMaker API; only the container contract (`/opt/ml`, port, signals).
"""

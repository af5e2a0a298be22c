"""Containers without a container engine: `/opt/ml` folders, supervised processes, data in and out."""

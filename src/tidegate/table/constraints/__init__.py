"""Constraints: what later data must keep to, as Model Monitor's `constraints.json`; suggested, edited, read back."""

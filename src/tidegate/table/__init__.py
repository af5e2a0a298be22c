"""The data plane: read and check a drop, split it, fit and apply the recipe, compare predictions, profile.

pyarrow reads, NumPy computes; nothing here knows AWS. Import the module that you need: each import costs.
"""

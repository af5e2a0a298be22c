"""The recipe: how raw columns become model inputs, fitted on the training rows and written as JSON."""

from tidegate.table.recipe.channel import write_channel
from tidegate.table.recipe.encode import encode
from tidegate.table.recipe.fit import fit_recipe

__all__ = ["encode", "fit_recipe", "write_channel"]

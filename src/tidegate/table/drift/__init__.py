"""Measures of drift, one a file, each computed from two profiles and registered by its name.

A new one is a file here with its formula, its source and an example, and a line below.
"""

from tidegate.table.drift import (
    chi_squared,
    jensen_shannon,
    kolmogorov_smirnov,
    l_infinity,
    psi,
    robust,
    simple,
    wasserstein,
)
from tidegate.table.drift.measure import OF_CATEGORIES, OF_NUMBERS, Measured
from tidegate.table.drift.sample import Categories, Numbers

__all__ = [
    "OF_CATEGORIES",
    "OF_NUMBERS",
    "Categories",
    "Measured",
    "Numbers",
    "chi_squared",
    "jensen_shannon",
    "kolmogorov_smirnov",
    "l_infinity",
    "psi",
    "robust",
    "simple",
    "wasserstein",
]

"""Checks of notebook 01_gram_matrices."""

from . import exercise

"""Checks of notebook 03_deep_dream."""

from . import exercise

"""Checks of notebook 04_dreaming_in_style."""

from . import exercise

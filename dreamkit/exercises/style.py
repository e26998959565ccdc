"""Checks of notebook 02_neural_style_transfer."""

from . import exercise

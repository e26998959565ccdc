"""Checks of notebook 00_start_here."""

from . import exercise


@exercise("0.1", because="a picture is an array of height × width × 3 numbers")
def picture_shape(answer):
    """How many numbers is a picture of 96 × 64 px?"""
    return None if answer == 96 * 64 * 3 else "every pixel has a red, a green and a blue value"

"""Explorable figures for the notebooks and the book."""

from .figures import Explorable, convolution, dream, gram, joint, style
from .stills import draw_dream, draw_gram, draw_joint, draw_style

__all__ = [
    "Explorable",
    "convolution",
    "draw_dream",
    "draw_gram",
    "draw_joint",
    "draw_style",
    "dream",
    "gram",
    "joint",
    "style",
]

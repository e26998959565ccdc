"""The clear-or-distorted experiment.  (Notebook 06.)"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "cells": ["square"],
        "design": ["Design", "PRESETS"],
        "distortions": ["clutter", "distort", "scale_sheet"],
        "game": ["game_results"],
        "run": ["StudyError", "run_study"],
        "scenes": ["scene"],
    },
)

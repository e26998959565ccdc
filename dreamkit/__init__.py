"""dreamkit: how a network's features make pictures.

A picture is a variable, a network gives it a score, and we walk downhill (style transfer) or
uphill (deep dream). Everything in this package is that sentence; the notebooks tell it in full.
"""

import importlib.metadata
import os
import warnings

import lazy_loader

# Before TensorFlow is first imported: quiet start-up, and the one backend our gradients use.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

__version__ = "0.1.0"


def _warn_of_namesake():
    """Warn if the package that is called dreamkit on PyPI, which is not ours, is installed too."""
    try:
        namesake = importlib.metadata.version("dreamkit")
    except importlib.metadata.PackageNotFoundError:
        return
    warnings.warn(
        f"PyPI's dreamkit {namesake}, a package by other people, is installed here, and its files"
        " mix with this course's: run `pip uninstall dreamkit`, then install this course again.",
        stacklevel=3,
    )


_warn_of_namesake()

# Nothing below is imported until it is used, so that `import dreamkit` takes no time.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "errors": [
            "DivergedError",
            "DreamkitError",
            "ImageError",
            "LayerError",
            "SettingsError",
            "WeightsError",
        ],
        "images": ["check_image", "load_image", "resize", "save_image"],
        "sample_pictures": ["samples"],
        "networks.weights": ["find_weights"],
        "networks.fetching": ["fetch_weights"],
        "networks.backbone": ["Backbone", "load_backbone"],
        "gram": ["gram_matrix"],
        "objectives": ["Objective"],
        "terms": ["Content", "Dream", "Style", "TotalVariation"],
        "balanced": ["Balanced"],
        "gradients": ["normalise"],
        "large.tiles": ["Tiled"],
        "commands.estimate": ["estimate"],
        "optimize": ["ascend", "descend"],
        "octaves": ["octave_sizes"],
        "recipes": ["deep_dream", "dream_style", "style_transfer"],
        "runs.run": ["Run"],
        "profiles": ["Profile", "profile"],
        "plots": ["plot_losses", "show"],
        "runs.reproduce": ["rerun", "resume"],
    },
)

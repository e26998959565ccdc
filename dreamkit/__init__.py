"""dreamkit: how a network's features make pictures.

A picture is a variable, a network gives it a score, and we walk downhill (style transfer) or
uphill (deep dream). The whole package is that one sentence; the notebooks explain it in full.
"""

import importlib.metadata
import os
import warnings

import lazy_loader

from .system.processor import switch_on_onednn

# Set before TensorFlow is imported: a quiet start, and the only backend our gradients support.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
switch_on_onednn()

__version__ = "0.1.0"


def _warn_about_namesake():
    """Warn if PyPI's dreamkit, an unrelated package, is also installed."""
    try:
        namesake = importlib.metadata.version("dreamkit")
    except importlib.metadata.PackageNotFoundError:
        return
    warnings.warn(
        f"PyPI's dreamkit {namesake}, an unrelated package, is installed here, and its files mix"
        " with this course's: run `pip uninstall dreamkit`, then install this course again.",
        stacklevel=3,
    )


_warn_about_namesake()

# Nothing below is imported until it is used, so `import dreamkit` is quick.
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
        "images": ["check_image", "load_alpha", "load_image", "resize", "save_image"],
        "inputs.samples": ["samples"],
        "networks.weights": ["find_weights"],
        "networks.fetching": ["fetch_weights"],
        "networks.backbone": ["Backbone", "load_backbone"],
        "gram": ["gram_matrix"],
        "objectives": ["Objective"],
        "terms": ["Content", "Style", "TotalVariation"],
        "dream": ["Dream"],
        "balanced": ["Balanced"],
        "controls.masks": ["Masked"],
        "controls.colour": ["keep_chroma", "match_colours"],
        "gradients": ["normalise"],
        "large.tiles": ["Tiled"],
        "commands.estimate": ["estimate"],
        "optimize": ["ascend", "descend"],
        "octaves": ["octave_sizes"],
        "recipes": ["deep_dream", "dream_style", "style_transfer"],
        "controls.texture": ["texture"],
        "controls.visualisation": ["Visualisation", "visualise"],
        "runs.run": ["Run"],
        "profiles": ["Profile", "profile"],
        "plots": ["plot_losses", "show"],
        "film.recording": ["Film"],
        "film.watching": ["Movie", "contact_sheet", "scrub"],
        "film.zoom": ["zoom_dream"],
        "film.morph": ["morph"],
        "film.video": ["transform_video"],
        "runs.reproduce": ["rerun", "resume"],
    },
)

"""Moving pictures: a run as a film, a zoom into a dream, a morph, and a video frame by frame."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "recording": ["Film"],
        "watching": ["Movie", "contact_sheet", "scrub"],
        "zoom": ["zoom_dream"],
        "morph": ["morph"],
        "video": ["transform_video"],
    },
)

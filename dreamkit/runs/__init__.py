"""The result of a run: picture, history, checkpoint, and the settings that made it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"run": ["Run", "concatenate"], "checkpoint": ["Checkpoint"]}
)

"""What a run leaves behind: its picture and history, a checkpoint, and how it was made."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"run": ["Run", "concatenate"], "checkpoint": ["Checkpoint"]}
)

"""Run: a picture, its history, and the settings that reproduce it.  (Notebook 00.)"""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..images import save_image
from ..inputs.files import check_free, replacing

if TYPE_CHECKING:
    import pandas as pd

METADATA_KEY = "dreamkit"


@dataclass
class Run:
    """The result of a recipe or a loop.

    Attributes:
        image: the picture, (H, W, 3) float32 in [0, 1].
        history: a pandas DataFrame with a row for the start (step 0) and one for every step:
            `step`, `phase`, `total`, a column for each unweighted term, and `seconds` since the
            start.
        settings: everything needed to make the picture again.
        stopped: None, or why the run ended early: `"interrupted"` or `"callback"`.

    Introduced in notebook 00.
    """

    image: np.ndarray
    history: "pd.DataFrame"
    settings: dict = field(default_factory=dict)
    stopped: str | None = None

    def __array__(self, dtype=None, copy=None):
        return np.array(self.image, dtype=dtype)

    def __repr__(self):
        height, width = self.image.shape[:2]
        recipe = self.settings.get("recipe", "run")
        return f"<Run {recipe}: {width}×{height} px, {len(self.history)} rows of history>"

    def _repr_jpeg_(self):
        """Let Jupyter show the picture, as a JPEG to keep notebooks small."""
        from PIL import Image

        buffer = io.BytesIO()
        picture = Image.fromarray(np.round(self.image * 255).astype("uint8"))
        picture.save(buffer, "jpeg", quality=90, subsampling=0)
        return buffer.getvalue()

    def save(self, path, overwrite=False, alpha=None):
        """Write the picture, its settings (`.json`) and its history (`.csv`) next to each other.

        Args:
            path: file of the picture; a `.png` also stores the settings.
            overwrite: True to replace existing files.
            alpha: how opaque the picture is, (H, W) from 0 to 1; see `load_alpha`.

        Returns:
            The picture's path.

        Raises:
            ImageError: a file already exists, or the suffix is not a format we can write.
        """
        path = Path(path).expanduser()
        settings, history = path.with_suffix(".json"), path.with_suffix(".csv")
        for file in (path, settings, history):
            check_free(file, overwrite)
        text = json.dumps(self.settings, indent=1, ensure_ascii=False)
        metadata = {METADATA_KEY: text} if path.suffix.lower() == ".png" else None
        settings.unlink(missing_ok=True)  # written last: if it exists, the others are complete
        save_image(path, self.image, overwrite=overwrite, metadata=metadata, alpha=alpha)
        table = self.history.to_csv(index=False, lineterminator="\n")
        for file, content in {history: table, settings: text + "\n"}.items():
            with replacing(file) as part:
                part.write_text(content, encoding="utf-8")
        return path


def concatenate(runs):
    """Join consecutive runs into one, with the last picture and the whole history."""
    import pandas as pd

    tables, elapsed = [], 0.0
    for run in runs:
        tables.append(run.history.assign(seconds=run.history["seconds"] + elapsed))
        elapsed = tables[-1]["seconds"].iloc[-1]
    return Run(runs[-1].image, pd.concat(tables, ignore_index=True), {}, runs[-1].stopped)

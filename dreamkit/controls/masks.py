"""Where a term counts: soft masks over the picture.  (Notebook 03.)"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arguments.checked import checked
from ..errors import SettingsError
from ..images import load_image, resize
from ..startup import tf
from ..terms import Term


@checked
@dataclass(eq=False)
class Masked(Term):
    """A term that counts only part of the picture: a guided Gram matrix, for example.

    With w the mask at a layer, divided by its mean, and statistics of degree p in the features F
    (2 for Gram matrices and squared differences, 1 for mean activations), the features become
    w^(1/p) · F. So each sum over positions becomes one weighted by w. Styles that compare means too
    get √w once more, for the means.

    Args:
        term: `Content`, `Style`, `Dream` or another term with a backbone.
        mask: 1 where the term counts, 0 where it does not, and anything between for soft edges:
            (H, W) or anything `load_image` accepts, whose brightness is used. It is resized to the
            picture being scored, and averaged over the pixels at the centre of each feature's
            receptive field.

    Raises:
        ImageError: not a picture.
        SettingsError: the mask is black, or the term has no backbone or sorts its features.

    Source: Gatys et al. 2017, section 4 (spatial control). Introduced in notebook 03.

    >>> from dreamkit import Dream, load_backbone
    >>> left = np.zeros((64, 64), "float32")
    >>> left[:, :20] = 1
    >>> masked = Masked(Dream(load_backbone("squeezenet"), "fire2"), left)
    >>> noise = np.random.default_rng(0).random((64, 64, 3), "float32")
    >>> gradient = masked.value_and_gradient(noise).gradient.numpy()
    >>> bool(gradient[:, :20].any()), bool(gradient[:, 40:].any())
    (True, False)
    """

    term: Term
    mask: Any

    def __post_init__(self):
        self.name, self.backbone, self.layers = self.term.name, self.term.backbone, self.term.layers
        if self.backbone is None:
            raise SettingsError(f"The {self.name} term scores pixels: only features can be masked.")
        if self.term.degree is None:
            raise SettingsError(
                f"This {self.name} term sorts its features, and a mask can only weight sums:"
                ' leave the mask out, or choose other statistics, such as "moments".'
            )
        self.mask = load_image(self.mask)
        if not self.mask.any():
            raise SettingsError("The mask is black everywhere: paint white where it should count.")

    @property
    def adds_up(self):
        return self.term.adds_up

    def reference(self, size):
        return self.term.reference(size)

    def check_size(self, size):
        self.term.check_size(size)

    def graph_key(self):
        return type(self), self.term.graph_key()

    def target(self, features):
        return self.term.target(features)

    def complete(self, target, picture):
        """{layer: {"mask": w^(1/p), (1, h, w, 1), "target": the term's own, if it has one}}."""
        mask = resize(self.mask, tuple(picture.shape[:2])).mean(-1)
        target, completed = self.term.complete(target, picture), {}
        for layer in self.layers:
            w = tf.constant(at_layer(mask, self.backbone, layer), picture.dtype)
            completed[layer] = {"mask": (w / tf.reduce_mean(w)) ** (1 / self.term.degree)}
            if layer in target:
                completed[layer]["target"] = target[layer]
        return completed

    def statistics(self, features, target):
        """The term's statistics of the weighted features, compared with its weighted target."""
        weighted, own = {}, {}
        for layer, f in features.items():
            apply_mask = functools.partial(_times, mask=target[layer]["mask"])
            weighted[layer] = apply_mask(f)
            if "target" in target[layer]:
                own[layer] = tf.nest.map_structure(apply_mask, target[layer]["target"])
        roots = {layer: target[layer]["mask"] for layer in features}
        return self.term.statistics(weighted, own, *([roots] if self.term.takes_roots else []))

    def loss(self, statistics, target):
        return self.term.loss(statistics, {n: t.get("target") for n, t in target.items()})


def keep_outside(picture, changed, masks):
    """The changed picture where a mask is white, the picture where all masks are black.

    A feature sees far beyond its own place, so masked terms alone also change what is around them.

    Args:
        picture, changed: (H, W, 3).
        masks: list of masks, as for `Masked`; with a None among them, everything may change.
    """
    if any(mask is None for mask in masks):
        return changed
    whites = [resize(load_image(mask), picture.shape[:2]) for mask in masks]
    mask = np.max(whites, axis=0).mean(-1, keepdims=True)
    return np.clip(picture + mask * (changed - picture), 0, 1)


def _times(x, mask):
    """Feature maps (1, h, w, C) times a mask; sums and lists of vectors as they are."""
    return x * tf.cast(mask, x.dtype) if x.shape.rank == 4 else x


def at_layer(mask, backbone, layer):
    """A mask (H, W) at a layer, (1, h, w, 1): the mean over each feature's central pixels."""
    rows, columns = (_central_pixels(backbone, layer, length) for length in mask.shape)
    cells = mask[rows[:, None, :, None], columns[None, :, None, :]]  # (h, w, stride, stride)
    return cells.mean((2, 3))[np.newaxis, ..., np.newaxis]


def _central_pixels(backbone, layer, length):
    """Along one axis, (h, stride): the pixels at the centre of each feature's receptive field."""
    stride, (before, after) = backbone.stride(layer), backbone.halo(layer)
    centres = np.arange(backbone.feature_count(layer, length)) * stride + (after - before) / 2
    pixels = centres[:, None] + np.arange(stride) - (stride - 1) / 2
    return np.clip(np.floor(pixels + 0.5), 0, length - 1).astype(int)

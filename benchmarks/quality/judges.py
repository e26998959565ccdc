"""The judges: what a picture has of its painting and of its photo. Nobody descended any of them.

Each gives a distance over a yardstick. For style, the yardstick is the photo's own distance from
the painting: 0 has the painting's distribution, 1 is as far from it as the untouched photo. For
content it is the painting's distance from the photo: 0 is the photo, 1 is no more like it than the
painting is. The layers are of networks that no method used, or lie between the layers they used.
"""

import functools

import numpy as np
from scipy.ndimage import binary_dilation
from scipy.stats import rankdata
from skimage.feature import canny
from skimage.filters import sobel

from dreamkit import load_backbone, resize
from dreamkit.errors import WeightsError

HELD_OUT = {
    "vgg19": ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"),
    "inception_v3": ("conv2d_2", "conv2d_4", "mixed1", "mixed3"),
    "squeezenet": ("conv1", "fire3", "fire5", "fire7"),
}
SIMILAR = {"inception_v3": "mixed1", "squeezenet": "fire5"}  # layers for the self-similarity
POINTS, DIRECTIONS, AXES = 4096, 64, 32
RIDGE = 1e-3  # added to variances, relative to their mean


def points(network, picture, layers, most=POINTS):
    """{layer: (n, C)}: at most `most` of a picture's features at each layer, in float64."""
    found = load_backbone(network).with_precision("float32").features(picture, layers)
    return {layer: sample(f.numpy()[0], most) for layer, f in found.items()}


def sample(maps, most):
    """(n, C) at most `most` positions of (h, w, C): the same ones for maps of equal size."""
    flat = maps.reshape(-1, maps.shape[-1]).astype("float64")
    chosen = np.random.default_rng(0).permutation(len(flat))[:most]
    return flat[np.sort(chosen)]


def sliced_wasserstein(x, a):
    """Mean squared 2-Wasserstein distance of two clouds (n, C) along random directions."""
    directions = np.random.default_rng(1).normal(size=(x.shape[1], DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    levels = (np.arange(512) + 0.5) / 512
    p, q = (np.quantile(cloud @ directions, levels, axis=0) for cloud in (x, a))
    return float(np.mean((p - q) ** 2))


def gaussian_divergence(x, a):
    """Jeffreys' divergence of two clouds' Gaussians, in the painting's first principal axes.

    The sum of both Kullback–Leibler divergences: large where one cloud is thin and the other not,
    even along axes of little variance, which distances hardly notice.
    """
    mean = a.mean(0)
    axes = np.linalg.eigh(np.cov(a.T))[1][:, -AXES:]
    p, q = ((cloud - mean) @ axes for cloud in (x, a))
    s, t = (np.atleast_2d(np.cov(cloud.T)) for cloud in (p, q))
    ridge = RIDGE * np.trace(t) / len(t) * np.eye(len(t))
    inverse_s, inverse_t = np.linalg.inv(s + ridge), np.linalg.inv(t + ridge)
    apart = p.mean(0) - q.mean(0)
    spread = np.trace(inverse_s @ (t + ridge) + inverse_t @ (s + ridge)) - 2 * len(t)
    return float(spread + apart @ (inverse_s + inverse_t) @ apart) / 2


def self_similarity(x, p):
    """How differently two pictures' features (n, C), at the same places, resemble one another.

    Source: Kolkin, Salavon and Shakhnarovich 2019 (STROTSS), equation 5.
    """

    def distances(cloud):
        unit = cloud / np.maximum(np.linalg.norm(cloud, axis=1, keepdims=True), 1e-9)
        cosine = np.maximum(1 - unit @ unit.T, 0)
        return cosine / np.maximum(cosine.sum(0), 1e-9)

    return float(np.abs(distances(x) - distances(p)).sum(0).mean())


def contours(picture, photo):
    """2 − 2 · AUC of the picture's edges as a sign of the photo's contours: 0 if they agree.

    AUC: how often a pixel on a contour of the photo has a stronger edge than one that is not.
    """
    grey = photo @ [0.2126, 0.7152, 0.0722]
    on = binary_dilation(canny(grey, sigma=2))
    edges = sobel(picture @ [0.2126, 0.7152, 0.0722])
    if not on.any() or on.all():
        return np.nan
    ranks, count = rankdata(edges), on.sum()
    ranks = ranks.reshape(on.shape)
    auc = (ranks[on].sum() - count * (count + 1) / 2) / (count * (on.size - count))
    return float(2 - 2 * auc)


@functools.lru_cache(maxsize=1)
def perceptual():
    """A function of two pictures, LPIPS on AlexNet, or the reason why there is none."""
    try:
        import lpips
        import torch
    except ModuleNotFoundError as error:
        return str(error)
    try:
        net = lpips.LPIPS(net="alex", verbose=False)
    except Exception as error:  # its weights come from the internet, which may fail in any way
        return f"its weights cannot be fetched ({error})"
    as_tensor = lambda x: torch.from_numpy(2 * x.transpose(2, 0, 1)[None] - 1)  # noqa: E731
    return lambda x, y: net(as_tensor(x), as_tensor(y)).item()


class Jury:
    """All judges of one pair.

    Args:
        pair: a `Pair`.

    Judges whose network's weights are missing are left out.
    """

    def __init__(self, pair):
        self.pair, self.style, self.content = pair, [], {}
        painting = resize(pair.painting, pair.photo.shape[:2])
        for network, layers in HELD_OUT.items():
            try:
                photo, own = (points(network, x, layers) for x in (pair.photo, pair.painting))
            except WeightsError:
                continue
            for distance in (sliced_wasserstein, gaussian_divergence):
                yardsticks = {n: distance(photo[n], own[n]) for n in layers}
                self.style.append((network, distance, own, yardsticks))
        for network, layer in SIMILAR.items():
            if any(network == judge[0] for judge in self.style):
                photo, other = (similar(network, x, layer) for x in (pair.photo, painting))
                self.content[network] = layer, photo, self_similarity(other, photo)

    def __call__(self, picture):
        """{judge: relative distance}, and their means "style" and "content"."""
        style, content = {}, {"contours": contours(picture, self.pair.photo)}
        seen = {n: points(n, picture, HELD_OUT[n]) for n, *_ in self.style}
        for network, distance, own, yardsticks in self.style:
            ratios = [distance(seen[network][n], own[n]) / far for n, far in yardsticks.items()]
            style[f"{distance.__name__} {network}"] = float(np.mean(ratios))
        for network, (layer, photo, far) in self.content.items():
            near = self_similarity(similar(network, picture, layer), photo)
            content[f"self_similarity {network}"] = near / far
        found = style | content
        found["style"] = float(np.mean(list(style.values())))
        found["content"] = float(np.nanmean(list(content.values())))
        if callable(perceptual()):
            found["LPIPS to the photo"] = perceptual()(picture, self.pair.photo)
        return found


def similar(network, picture, layer):
    """The points of a picture for `self_similarity`."""
    return points(network, picture, (layer,), 1024)[layer]

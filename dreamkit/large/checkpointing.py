"""Gradient checkpointing: deep features from those at a bottleneck, computed again when needed.

A bottleneck is a layer through which all deeper ones look. At a network's first bottleneck features
are small enough to be kept whole for a picture of any size; from one bottleneck to the next, what a
gradient needs is computed again, so that not all of it is held at once (Chen et al. 2016).
"""

import functools

from ..startup import tf


def split(backbone, layers):
    """The layers up to a network's first bottleneck, and those beyond it: two tuples of names.

    Where there are any beyond, the bottleneck is among the first. Raises ValueError for a name that
    is no layer's.

    >>> from dreamkit import load_backbone
    >>> split(load_backbone("squeezenet"), ("conv1", "fire6"))
    (('conv1', 'pool3'), ('fire6',))
    """
    names, first = backbone.layers, backbone.architecture.bottlenecks[:1]
    end = names.index(*first) if first else len(names)
    deep = tuple(name for name in layers if names.index(name) > end)
    shallow = (name for name in layers if name not in deep)
    return tuple(dict.fromkeys([*shallow, *first] if deep else shallow)), deep


def segments(backbone, deep):
    """From the first bottleneck to the deepest of some layers, from one bottleneck to the next.

    Args:
        backbone: a `Backbone`.
        deep: names of layers beyond the first bottleneck.

    Returns:
        List of (bottleneck, names of the layers asked for up to the next one); the last of these
        names is that of the next bottleneck, or of the deepest layer.

    >>> from dreamkit import load_backbone
    >>> segments(load_backbone("squeezenet"), ("fire6", "fire8"))
    [('pool3', ('fire6', 'fire8'))]
    """
    depth = backbone.layers.index
    deepest = max(deep, key=depth)
    starts = [name for name in backbone.architecture.bottlenecks if depth(name) < depth(deepest)]
    found = []
    for start, end in zip(starts, [*starts[1:], deepest], strict=True):
        names = {end} | {name for name in deep if depth(start) < depth(name) <= depth(end)}
        found.append((start, tuple(sorted(names, key=depth))))
    return found


def features_from(backbone, features, layers):
    """{layer: (1, h, w, C)} of layers beyond the first bottleneck, from the features there.

    `features` are in the network's own precision, and so are the results.
    """
    found, (*earlier, last) = {}, segments(backbone, layers)
    for start, names in earlier:
        see = functools.partial(backbone.raw_features, layers=names, start=start)
        found |= tf.recompute_grad(see)(features)
        features = found[names[-1]]
    start, names = last
    found |= backbone.raw_features(features, names, start)
    return {name: found[name] for name in layers}

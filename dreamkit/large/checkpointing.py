"""Gradient checkpointing: recompute deep features from a bottleneck instead of storing them.

A bottleneck is a layer that every path to deeper layers passes through. The features at a network's
first bottleneck are small enough to keep for a picture of any size. Between one bottleneck and the
next, what the gradient needs is recomputed, so that only one segment is in memory at a time (Chen
et al. 2016).
"""

import functools

from ..startup import tf


def split(backbone, layers):
    """Split layers into those up to a network's first bottleneck and those beyond it.

    Returns two tuples of names; if any layer is beyond it, the first tuple includes the bottleneck.
    Raises ValueError for an unknown layer.

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
    """Cut the way from the first bottleneck to the deepest of some layers into segments.

    Args:
        backbone: a `Backbone`.
        deep: names of layers beyond the first bottleneck.

    Returns:
        List of (bottleneck, names of the requested layers in the segment that begins there); the
        last of the names is the next bottleneck, or the deepest layer.

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
    """{layer: (1, h, w, C)} for layers beyond the first bottleneck, from its features.

    Both `features` and the results are as `Backbone.raw_features` gives them.
    """
    found, (*earlier, last) = {}, segments(backbone, layers)
    for start, names in earlier:
        segment = functools.partial(backbone.raw_features, layers=names, start=start)
        found |= tf.recompute_grad(segment)(features)
        features = found[names[-1]]
    start, names = last
    found |= backbone.raw_features(features, names, start)
    return {name: found[name] for name in layers}

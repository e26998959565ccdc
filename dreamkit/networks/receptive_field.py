"""Which part of the picture a feature sees.  (Notebook 01.)"""

import functools
from typing import NamedTuple


class ReceptiveField(NamedTuple):
    """What one feature of a layer sees, in pixels.

    Attributes:
        size: width of the field.
        stride: how far the field moves from one feature to its neighbour.
        before, after: feature g sees at most pixels g·stride − before to g·stride + after.
    """

    size: int = 1
    stride: int = 1
    before: int = 0
    after: int = 0


class Geometry:
    """The receptive fields of all layers of a Keras model.

    Source: Araujo, Norris and Sim 2019.
    """

    def __init__(self, model):
        self.layers = {layer.name: layer for layer in model.layers}
        makers = {id(layer.output): layer.name for layer in model.layers}
        self.sources = {}  # {layer: the layers it reads}
        for name, layer in self.layers.items():
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            self.sources[name] = [makers[id(x)] for x in inputs if makers[id(x)] != name]

    @functools.cached_property
    def fields(self):
        """{layer: `ReceptiveField`}, from the input on.

        A window of size k and step s widens the field by (k − 1) strides and multiplies the stride
        by s; where branches meet, the widest counts. Padding shifts a window back by an amount that
        can depend on the size; again the widest counts. Rows and columns are followed separately,
        because a window may be longer in one of them, like Inception's windows of 1 × 7.
        """
        rows, columns = (self._along(axis) for axis in (0, 1))
        return {name: ReceptiveField(*map(max, rows[name], columns[name])) for name in rows}

    def _along(self, axis):
        """{layer: `ReceptiveField`} along one axis."""
        fields = {}
        for name, layer in self.layers.items():
            known = [fields[source] for source in self.sources[name]] or [ReceptiveField()]
            size, stride, before, after = map(max, zip(*known, strict=True))
            kernel, step, padding = _window(layer, axis)
            back = (0, 0) if padding == "valid" else (max(kernel - step, 0) // 2, (kernel - 1) // 2)
            fields[name] = ReceptiveField(
                size + (kernel - 1) * stride,
                stride * step,
                before + back[1] * stride,
                after + (kernel - 1 - back[0]) * stride,
            )
        return fields

    @functools.cache  # noqa: B019 (like its network, it lives as long as the process)
    def count(self, layer, length):
        """The number of features of `layer` along a side of a picture, from its length in px."""
        kernel, step, padding = _window(self.layers[layer])
        count = min((self.count(name, length) for name in self.sources[layer]), default=length)
        return (count - kernel) // step + 1 if padding == "valid" else -(-count // step)

    @functools.cache  # noqa: B019
    def smallest(self, layer, side=1):
        """The shortest side of a picture, px, that gives `side` features at `layer`."""
        kernel, step, padding = _window(self.layers[layer])
        inner = (side - 1) * step + (kernel if padding == "valid" else 1)
        return max((self.smallest(name, inner) for name in self.sources[layer]), default=side)


def _window(layer, axis=None):
    """(kernel, step, padding) of a layer with a window; (1, 1, "same") for all others.

    Along axis 0 or 1; None takes the longer one.
    """
    kernel = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None) or (1, 1)
    step = getattr(layer, "strides", None) or (1, 1)
    along = max if axis is None else lambda sides: sides[axis]
    return along(kernel), along(step), getattr(layer, "padding", "same")

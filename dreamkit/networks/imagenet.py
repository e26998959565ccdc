"""The 1,000 ImageNet classes.  (Notebook 04.)"""

import difflib
import functools

from ..errors import SettingsError
from ..inputs.samples import data_folder


@functools.cache
def class_names():
    """The 1,000 ImageNet classes, in the order of a classifier's channels.

    >>> class_names()[1]
    'goldfish'
    """
    return tuple((data_folder() / "imagenet_classes.txt").read_text().splitlines())


def class_index(label):
    """The channel of a class, given by name or by number, 0 to 999.

    Raises:
        SettingsError: an unknown ImageNet class.

    >>> class_index("goldfish"), class_index(1)
    (1, 1)
    """
    names = class_names()
    if isinstance(label, int) and 0 <= label < len(names):
        return label
    if label in names:
        return names.index(label)
    near = difflib.get_close_matches(str(label), names, n=3)
    listing = "dreamkit.networks.imagenet.class_names()"
    hint = f"did you mean {' or '.join(near)}?" if near else f"see `{listing}`."
    raise SettingsError(f"ImageNet has no class {label!r}: {hint}")

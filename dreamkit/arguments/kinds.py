"""The kinds of arguments: a rule for each.  (Notebook 00.)

A rule is a function (name, value) → the value to use; it raises a `DreamkitError` that names the
argument and says what to give. The function itself checks what only it can know, such as whether a
network has a layer.
"""

import functools
import itertools
import os
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from PIL import Image

from ..errors import ImageError, SettingsError, check_range, shown
from ..images import check_image
from ..inputs.checks import check_flag, check_path
from ..inputs.reading import MAX_PIXELS, MAX_SIDE

MOST_STEPS = 10**6
MOST = 1000  # octaves, layers, channels or pictures side by side: more than anyone would ask for


def refuse(name, value, fix, error=SettingsError):
    """Raise an error: what the argument cannot be, and what to give."""
    raise error(f"{name} cannot be {shown(value)}: {fix}.")


# Numbers


def number(low, high):
    """A rule: an integer from low to high if `low` is an int, else any number."""
    return lambda name, value: check_range(name, value, low, high)


def above_zero(high):
    """A rule: a number above 0 and up to `high`."""

    def rule(name, value):
        real = isinstance(value, Real) and not isinstance(value, bool)
        if not real or not 0 < value <= high:
            refuse(name, value, f"give a number above 0, up to {high}")
        return value if isinstance(value, int) else float(value)

    return rule


def called(label, rule):
    """The rule, with another name for the argument in its message."""
    return lambda name, value: rule(label, value)


anything = lambda name, value: value  # noqa: E731
flag, path = check_flag, check_path


def weight(name, value):
    """A finite number of any sign."""
    if not isinstance(value, Real) or isinstance(value, bool) or not abs(value) < 1e308:
        refuse(name, value, "give a finite number")
    return value if isinstance(value, int) else float(value)


def several_steps(name, value):
    """A number of steps, or a list: a number and then how many more to do at full size."""
    step = number(0, MOST_STEPS)
    if not isinstance(value, list | tuple):
        return step(name, value)
    if not 0 < len(value) <= MOST:
        refuse(name, value, f"give a number, or a list of 1 to {MOST} numbers")
    return type(value)(step(name, item) for item in value)


def longest_side(name, value):
    """A picture's longest side, px, or "own"; `resize` refuses what is too large for its shape."""
    if isinstance(value, str) and value == "own":
        return value
    if not isinstance(value, Integral) or isinstance(value, bool) or not 0 < value <= MAX_SIDE:
        fix = f'give a number of pixels from 1 to {MAX_SIDE:,}, or "own"'
        refuse(name, value, fix, ImageError)
    return int(value)


def height_and_width(name, value):
    """(height, width), px."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        refuse(name, value, "give (height, width), in px", ImageError)
    return tuple(number(1, MAX_SIDE)(name, side) for side in value)


def one_or_both_sides(name, value):
    """The side of a square, px, or (height, width)."""
    if isinstance(value, list | tuple):
        sides = height_and_width(name, value)
    else:
        sides = value = number(1, MAX_SIDE)(name, value)
    if np.prod(sides, dtype=float) ** (2 / np.size(sides)) > MAX_PIXELS:
        refuse(name, value, f"choose at most {MAX_PIXELS:,} pixels", ImageError)
    return sides


def pace(name, value):
    """(fixed seconds per step, seconds per pixel), as `measure` returns them."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        refuse(name, value, "give what measure(…) returned, two numbers of seconds")
    return tuple(number(-3600.0, 3600)(name, seconds) for seconds in value)


def tile_side(name, value):
    if value is None or (isinstance(value, str) and value == "auto"):
        return value
    if not isinstance(value, Integral) or isinstance(value, bool):
        refuse(name, value, 'give an integer (px), "auto" or None')
    return check_range(name, value, 16, MAX_SIDE)


# Pictures


def picture(name, value):
    """Anything that `load_image` accepts; an array is checked, so that an error names it."""
    if isinstance(value, str | os.PathLike | bytes | bytearray | Image.Image):
        return value
    if not hasattr(value, "__array__") or isinstance(value, type):
        fix = "give a sample's name, a file, an address, a PIL image or an array"
        refuse(name, value, fix, ImageError)
    check_image(value, name)
    return value


def opened(name, value):
    """A picture that has been loaded: an array, or anything that can be one."""
    if value is None or isinstance(value, str | os.PathLike | bytes | bytearray | type):
        refuse(name, value, "load the picture with load_image first", ImageError)
    check_image(value, name)
    return value


def first_picture(name, value):
    """What a style transfer starts from."""
    if isinstance(value, str):
        return value
    try:
        return picture(name, value)
    except ImageError as error:
        raise SettingsError(f"{error}"[:-1] + ", or 'content', 'style' or 'noise'.") from error


def pictures(name, value):
    """One picture, or several, each with what goes with it: {name: …} or [(picture, …), …]."""
    if isinstance(value, Mapping):
        pairs = list(value.items())
    elif isinstance(value, list | tuple):
        pairs = [item for item in value if isinstance(item, list | tuple) and len(item) == 2]
        if len(pairs) != len(value):
            fix = "give one picture, {name: share} or [(picture, share), …]"
            raise SettingsError(f"{name} cannot be a list of this kind: {fix}.")
    else:
        return picture(name, value)
    if not 0 < len(pairs) <= MOST:
        refuse(name, value, f"give 1 to {MOST} pictures")
    for first, share in pairs:
        picture(name, first)
        if isinstance(share, Mapping | list | tuple):
            layers(f"A share of {name}", share, balanced=True)
    return value


def masks_of_styles(name, value):
    """A mask, {name of a style: mask}, or [(mask, number of the style), …]."""
    if isinstance(value, Mapping):
        masks = value.values()
    elif isinstance(value, list | tuple):
        pictures(name, value)
        masks = [mask for mask, _ in value]
        for _, style in value:
            number(0, MOST)(f"The number of a style in {name}", style)
    else:
        masks = [value]
    if not masks:
        refuse(name, value, "give at least one mask")
    for mask in masks:
        picture(name, mask)
    return value


def titled_pictures(name, value):
    """{title: picture}, where a picture may also be a `Run`."""
    if not isinstance(value, Mapping) or not 0 < len(value) <= MOST:
        refuse(name, value, f"give {{title: picture}}, with 1 to {MOST} pictures")
    for title, image in value.items():
        opened(f"the picture {title!r} of {name}", image)
    return value


# Networks, layers, channels, scores


def network(name, value):
    if not isinstance(value, str) and not callable(getattr(value, "raw_features", None)):
        refuse(name, value, "give a network's name, such as 'squeezenet', or a Backbone")
    return value


def keras_model(name, value):
    if not (hasattr(value, "layers") and hasattr(value, "inputs")) or isinstance(value, type):
        refuse(name, value, "give a Keras model")
    return value


def network_plan(name, value):
    if not callable(getattr(value, "preprocess", None)):
        refuse(name, value, "give an Architecture, from dreamkit.networks.architectures")
    return value


def several_names(name, value):
    valid = isinstance(value, list | tuple) and 0 < len(value) <= MOST
    if not valid or not all(isinstance(each, str) for each in value):
        refuse(name, value, "give a list of names")
    return value


def layers(name, value, balanced=False):
    """A layer's name, several names, or {name: weight}."""
    names = [value] if isinstance(value, str) else value
    valid = isinstance(names, Mapping | list | tuple) and len(names) <= MOST
    if not valid or not all(isinstance(layer, str) for layer in names):
        refuse(name, value, "give a layer's name, several names or {name: weight}")
    if isinstance(value, Mapping):
        weights = [weight(f"The weight of {layer} in {name}", w) for layer, w in value.items()]
        if balanced and weights and abs(sum(weights)) < 1e-9 * max(map(abs, weights), default=0):
            refuse(name, value, "these weights add up to zero, so change one of them")
        if balanced and weights and not any(weights):
            refuse(name, value, "these weights are all zero, so change one of them")
    return value


averaged_layers = functools.partial(layers, balanced=True)  # divided by the sum of their weights


def channels(name, value, deepest=False):
    """A channel, several, {channel: weight}, {layer: channels}, or what `deep_dream` adds."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(value, Mapping):
        named, given = list(value), list(value.values())
    else:
        named, given = value if isinstance(value, list | tuple | range) else [value], []
    if len(named) > MOST or not all(map(_can_be_channel, named)):
        refuse(name, value, "give a number, several or {number: weight}")
    for each in given:
        if isinstance(each, Real):
            weight(f"A weight in {name}", each)
        elif not isinstance(each, str):
            if deepest or each is None:
                refuse(name, value, "give a number, several or {number: weight}")
            channels(name, each, deepest=True)
    return value


def _can_be_channel(value):
    return isinstance(value, str) or (isinstance(value, Real) and abs(value) < 1e9)


def label(name, value):
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e9
    if not whole and not isinstance(value, str):
        refuse(name, value, "give an ImageNet class, by its name or number")
    return value


def score(name, value):
    """An objective, a term, or anything else that gives a value and a gradient."""
    scores = callable(value) and callable(getattr(value, "value_and_gradient", None))
    if isinstance(value, type) or not scores:
        refuse(name, value, "give a score, such as Content(…) + 20 * Style(…)")
    return value


def sum_of_terms(name, value):
    """An objective or a term: what has `parts`."""
    if isinstance(value, type) or not hasattr(value, "parts"):
        refuse(name, value, "give a term or a sum of terms, such as Content(…) + 20 * Style(…)")
    return value


def one_term(name, value):
    """A term, such as `Style(…)`."""
    if isinstance(value, type) or not callable(getattr(value, "statistics", None)):
        refuse(name, value, "give one term, such as Style(…)")
    return value


def weighted_terms(name, value):
    """((weight, term), …)."""
    if isinstance(value, list | tuple) or hasattr(value, "__next__"):
        value = tuple(itertools.islice(value, MOST))
    pairs = isinstance(value, tuple) and all(isinstance(x, tuple) and len(x) == 2 for x in value)
    if not pairs or not value:
        refuse(name, value, "give ((weight, term), …)")
    return tuple((weight(f"A weight in {name}", w), sum_of_terms(name, term)) for w, term in value)


# Everything else


def text(name, value):
    if not isinstance(value, str) or not 0 < len(value) < 1000:
        refuse(name, value, "give a name")
    return value


def word(example):
    """A rule: one of a few names; the function itself knows which."""

    def rule(name, value):
        if value is not None and not (isinstance(value, str) and len(value) < 100):
            refuse(name, value, f"give a name, such as {example!r}")
        return value

    return rule


def state_file(name, value):
    """The path of a checkpoint, or a `Checkpoint`."""
    if hasattr(value, "notes"):
        return value
    if os.path.isdir(path(name, value)):
        refuse(name, value, "it is a folder, so give the path of a file in it")
    return value


def film(name, value):
    """The path of a film, or a `Film`."""
    return value if callable(getattr(value, "start", None)) else path(name, value)


def function(name, value):
    if not callable(value):
        refuse(name, value, "give a function, or None")
    return value


def profile(name, value):
    """A profile's name, a `Profile`, or one as settings record it."""
    if not isinstance(value, str | Mapping) and not hasattr(value, "octave_steps"):
        refuse(name, value, "give a profile's name or a Profile")
    return value


def numbers(shape, *ranks):
    """A rule: an array of finite numbers of one of these ranks; `shape` says so in words."""

    def rule(name, value):
        array = value if is_tensor(value) else as_numbers(name, value)
        if len(array.shape) not in ranks or 0 in tuple(array.shape):
            raise SettingsError(f"{name} must have shape {shape}, not {tuple(array.shape)}.")
        return array if isinstance(value, list | tuple) else value

    return rule


def is_tensor(value):
    """True for TensorFlow's tensors, which may be those of a graph, without values."""
    return hasattr(value, "shape") and not isinstance(value, np.ndarray | np.generic)


def as_numbers(name, value):
    """An array of finite numbers; what is not an array yet becomes float32."""
    try:
        array = np.asarray(value, None if isinstance(value, np.ndarray) else np.float32)
        finite = array.dtype.kind in "biuf" and np.isfinite(array).all()
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite:
        refuse(name, value, "give an array of finite numbers")
    return array


def runs(name, value):
    """A `Run`, or {title: Run}."""
    several = list(value.values()) if isinstance(value, Mapping) else [value]
    known = all(hasattr(run, "history") and not isinstance(run, type) for run in several)
    if not known or not 0 < len(several) <= MOST:
        refuse(name, value, "give a Run, or {title: Run}")
    return value

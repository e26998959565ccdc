"""Hostile calls: every argument of every public function, with values that nobody should give."""

import contextlib
import decimal
import fractions
import functools
import inspect
import os
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import dreamkit as dk
from dreamkit import optimize
from dreamkit.arguments.checked import plain
from dreamkit.runs.run import Run
from dreamkit.startup import tf

SIDE = 48
RNG = np.random.default_rng(0)
PHOTO = RNG.random((SIDE, SIDE, 3), "float32")
MASK = np.tile(np.linspace(0, 1, SIDE, dtype="float32"), (SIDE, 1))

# What no caller creates: errors, and the result of a run.
OURS = {
    name for name in dk.__all__ if inspect.isclass(getattr(dk, name)) and name.endswith("Error")
}
OURS |= {"Run", "Visualisation"}
PUBLIC = {name: getattr(dk, name) for name in dk.__all__ if name not in OURS}
# Where a function's **options go; a new function with some needs an entry.
FORWARDS = {
    "descend": optimize._walk,
    "ascend": optimize._walk,
    "zoom_dream": dk.deep_dream,
    "morph": dk.dream_style,
    "transform_video": dk.style_transfer,
    "rerun": dk.deep_dream,
    "resume": None,
}
# Arguments of these that callers do not give, or that are not passed on.
NOT_PASSED_ON = {"sign", "order", "content", "image", "film", "checkpoint", "callback"}
REFUSED = {"fetch_weights": "cannot be fetched"}  # functions that no call without a network suits

# Arguments that keep a call short, for every function that has them.
SHORT = dict(
    steps=1, octave_steps=1, frame_steps=1, octaves=1, profile="ci", progress=False, seed=1,
    frames=2, keyframes=1, quiet=True, overwrite=True,
)  # fmt: skip


@functools.cache
def squeezenet():
    return dk.load_backbone("squeezenet")


@functools.cache
def run():
    return dk.style_transfer(PHOTO, PHOTO, "squeezenet", 1, 1, profile="ci", progress=False)


def saved(folder):
    """The file of a dream in this folder, made once."""
    file = folder / "dream.png"
    if not file.exists():
        options = dict(steps=1, octaves=1, seed=1, profile="ci", progress=False)
        source = dk.save_image(folder / "photo.png", PHOTO)
        dk.deep_dream(source, "squeezenet", checkpoint=folder / "run.npz", **options).save(file)
        dk.zoom_dream(source, folder / "film.gif", 3, size=SIDE, **{**options, "steps": 1})
    return file


def required(folder):
    """{argument: a value that is right} for arguments without a default."""
    dream = dk.Dream(squeezenet())
    return dict(
        image=PHOTO, content=PHOTO, style=PHOTO, source=PHOTO, photo=PHOTO, painting=PHOTO,
        painted=PHOTO, mask=MASK, size=SIDE, images={"photo": PHOTO}, name="squeezenet",
        backbone="squeezenet", features=PHOTO[None], gradient=PHOTO, objective=dream, score=dream,
        term=dream, down=dk.Content(PHOTO, squeezenet()), up=dream, parts=((1.0, dream),),
        recipe="dream", octaves=2, video=folder / "film.gif", film=folder / "film.gif",
        runs=run(), side=16, path=folder / "new.png", out=folder / "new.gif",
        checkpoint=folder / "run.npz", folder=folder / "weights", optimizer="adam", steps=1,
        model=squeezenet().model, architecture=squeezenet().architecture,
        style_backbone="squeezenet", dream_backbone="squeezenet", octave_steps=1,
    )  # fmt: skip


OWN = {
    "rerun": lambda folder: dict(path=folder / "dream.png"),
    "octave_sizes": lambda _: dict(size=(SIDE, SIDE)),
    "load_alpha": lambda _: dict(size=(SIDE, SIDE)),
    "Profile": lambda _: dict(name="mine"),
    "profile": lambda _: dict(name="ci"),
    "transform_video": lambda _: dict(style=PHOTO, stop=2, size=SIDE, backbone="squeezenet"),
    "zoom_dream": lambda _: dict(backbone="squeezenet"),
    "fetch_weights": lambda _: dict(names=("squeezenet",)),  # which cannot be fetched
    "estimate": lambda _: dict(backbone="squeezenet"),
    "visualise": lambda _: dict(backbone="squeezenet", layer="fire6", channel=11),
}


def parameters(name):
    """{argument: its parameter} of a public function, with those it passes on."""
    own = inspect.signature(PUBLIC[name]).parameters
    found = {n: p for n, p in own.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    if len(found) < len(own) and FORWARDS[name]:
        passed = inspect.signature(FORWARDS[name]).parameters
        found = {n: p for n, p in passed.items() if n not in NOT_PASSED_ON} | found
    return found


def arguments(name, folder):
    """A short, right call of a public function: its keyword arguments."""
    own = OWN[name](folder) if name in OWN else {}
    known, call = required(folder), {}
    for argument, parameter in parameters(name).items():
        needed = parameter.default is parameter.empty
        passed_on = argument not in inspect.signature(PUBLIC[name]).parameters
        if argument in SHORT and not (needed and argument in known):
            call[argument] = SHORT[argument]
        elif needed and argument not in own and not passed_on:
            call[argument] = known[argument]
    return call | own


VALUES = {
    "None": lambda: None, "True": lambda: True, "False": lambda: False,
    "-1": lambda: -1, "0": lambda: 0, "1": lambda: 1, "3": lambda: 3,
    "0.5": lambda: 0.5, "1.5": lambda: 1.5, "-0.5": lambda: -0.5,
    "int64": lambda: np.int64(3), "uint8": lambda: np.uint8(2), "float32": lambda: np.float32(0.5),
    "bool_": lambda: np.bool_(True), "str_": lambda: np.str_("mosaic"),
    "longdouble": lambda: np.longdouble(0.25), "float64 nan": lambda: np.float64("nan"),
    "nan": lambda: float("nan"), "inf": lambda: float("inf"), "-inf": lambda: -float("inf"),
    "1e9": lambda: 10**9, "2**31": lambda: 2**31, "2**63": lambda: 2**63, "1e30": lambda: 10**30,
    "-1e30": lambda: -(10**30), "5000 digits": lambda: 10**5000, "1e308": lambda: 1e308,
    "1e-308": lambda: 1e-308, "complex": lambda: 1j, "Decimal": lambda: decimal.Decimal("1.5"),
    "Fraction": lambda: fractions.Fraction(1, 2), "text 3": lambda: "3", "empty": lambda: "",
    "long text": lambda: "x" * 100_000, "nul": lambda: "a\0b", "not UTF-8": lambda: "caf\udce9.png",
    "superscript": lambda: "²", "word": lambda: "mosaic", "nobody": lambda: "~no-such-user/x.png",
    "bytes": lambda: b"3", "empty bytes": lambda: b"", "list": lambda: [], "[1]": lambda: [1],
    "[None]": lambda: [None], "[nan]": lambda: [float("nan")], "nested": lambda: [[[0.5]]],
    "pair": lambda: (1, 2), "tuple": lambda: (), "names": lambda: ["fire2", "fire3"],
    "dict": lambda: {}, "{a: 1}": lambda: {"a": 1}, "{1: nan}": lambda: {1: float("nan")},
    "opposites": lambda: {"fire2": 1, "fire3": -1}, "text weight": lambda: {"fire2": "3"},
    "set": lambda: {1}, "range": lambda: range(3), "iterator": lambda: iter([1]),
    "object": object, "class": lambda: int, "function": lambda: lambda *_: None,
    "exception": lambda: ValueError("no"), "array": lambda: np.zeros(3),
    "empty array": lambda: np.zeros((0, 0, 3)), "0-d": lambda: np.array(3),
    "array of text": lambda: np.array(["a"]), "5-d": lambda: np.zeros((1, 2, 2, 2, 3)),
    "nan picture": lambda: np.full((SIDE, SIDE, 3), np.nan, "float32"),
    "bright picture": lambda: np.full((SIDE, SIDE, 3), 255.0), "black": lambda: 0 * PHOTO,
    "one pixel": lambda: np.ones((1, 1, 3)), "strip": lambda: np.ones((1, 500, 3), "float32"),
    "grey": lambda: MASK, "tensor": lambda: tf.constant(PHOTO), "complex array": lambda: PHOTO * 1j,
    "datetime": lambda: np.datetime64("NaT"), "PIL": lambda: Image.new("RGB", (SIDE, SIDE)),
    "folder": lambda: ".", "cycle": lambda: cycle(), "Backbone": squeezenet,
    "score": lambda: dk.TotalVariation(), "pictures": lambda: {"a": PHOTO, "b": PHOTO},
    "shares": lambda: [(PHOTO, 0), (PHOTO, 0)], "share nan": lambda: [(PHOTO, float("nan"))],
    "share text": lambda: [(PHOTO, "3")], "profile": lambda: {"name": "x"},
}  # fmt: skip


def cycle():
    """A list that contains itself."""
    value = [1]
    value.append(value)
    return value


def attempt(name, argument, value, folder):
    """Call a public function with one hostile value; an AssertionError says what is wrong."""
    if argument == "callback" and callable(value) and not inspect.isfunction(value):
        return  # whatever it does is the caller's
    call = {**arguments(name, folder), argument: value}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = PUBLIC[name](**call)
    except dk.DreamkitError as error:
        if name not in REFUSED or REFUSED[name] not in str(error):
            check_sentence(str(error), argument, value)
    else:
        with contextlib.suppress(dk.ImageError):  # a border may leave too little of the picture
            check_result(result)
    finally:
        plt.close("all")


# Other words for an argument in a message.
ALSO = {
    "size": ["px"],
    "scale": ["octave_scale"],
    "side": ["tile"],
    **{name: ["picture", "array"] for name in ("image", "content", "source")},
}


def check_sentence(message, argument, value):
    """One sentence, not too long, that names the argument or shows what was given."""
    assert "\n" not in message, message
    assert re.search(r"[.?)]$", message), message
    assert len(message) < 500, message
    words = [argument, *(word for word in argument.split("_") if len(word) > 3), *shown(value)]
    words += ALSO.get(argument, [])
    assert any(word.lower() in message.lower() for word in words), (words, message)


def shown(value, depth=3):
    """How a message may speak of a value."""
    if isinstance(value, str):
        return [value[:20], repr(value)[:20]] if value.strip() else ["''"]
    words = [type(value).__name__, type(plain(value)).__name__]
    if isinstance(value, list | tuple | dict | set) and depth:
        words += [word for item in list(value)[:3] for word in shown(item, depth - 1)]
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**100):
        words.append(str(value))
    return words


def check_result(result):
    """Whatever came back is finite, and in range."""
    match result:
        case Run():
            check_picture(result.image)
            assert np.isfinite(result.history["total"]).all()
        case np.ndarray():
            check_picture(np.atleast_3d(result))
        case tf.Tensor():
            assert np.isfinite(result.numpy()).all()
        case dk.Movie():
            assert os.fspath(result)
        case list():
            assert all(min(size) >= 1 for size in result)
        case _ if hasattr(result, "value_and_gradient"):
            evaluation = result.value_and_gradient(PHOTO)
            assert np.isfinite(float(evaluation.total))
            assert np.isfinite(evaluation.gradient.numpy()).all()
        case _ if hasattr(result, "gib"):
            assert 0 < result.seconds < np.inf
            assert 0 < result.gib < np.inf


def check_picture(picture):
    assert picture.dtype == np.float32
    assert np.isfinite(picture).all()
    assert picture.min() >= 0
    assert picture.max() <= 1

"""Every number, text and path that a command takes: nonsense is one line that names it."""

import inspect
import itertools
import re
import time
import typing
from pathlib import Path

import numpy as np
import pytest
import typer

import dreamkit as dk
from dreamkit.commands import cli
from dreamkit.film.reel import encode

NONSENSE = (
    "nan",
    "inf",
    "-inf",
    "-1000",
    "1e999",
    "x",
    "",
    "²",
    "9" * 50,
    "9" * 5000,
    "0x10",
    "None",
)
TEXTS = ("", ":", "fire2:nan", "x" * 5000, "caf\udce9", "-", "~no-such-user/x.png", "a/../..")
# Right words for what a command cannot do without, so that only the nonsense is wrong.
NEEDED = {
    "photos": ["chelsea"], "styles": ["mosaic"], "photo": ["chelsea"], "video": ["walk.gif"],
    "checkpoint": ["run.npz"], "recipe": ["style"], "network": ["squeezenet"],
    "layer": ["fire2"], "channel": ["--channel=1"], "folder": ["submitted"], "to": ["--to=weights"],
}  # fmt: skip
# Other names that messages have for these.
ALSO = {"--more": ["steps"]}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with the files that some commands need."""
    folder = tmp_path_factory.mktemp("files")
    noise = np.random.default_rng(0).random((48, 48, 3), "float32")
    short = dict(steps=1, seed=1, profile="ci", progress=False)
    dk.deep_dream(noise, octaves=1, checkpoint=folder / "run.npz", **short)
    encode(folder / "walk.gif", [noise, 1 - noise], (48, 48), 10)
    (folder / "submitted").mkdir()
    return folder


@pytest.fixture
def call(command, files, monkeypatch):
    """Function (*words) → exit code and stderr of a command, in a folder with these files."""

    def call(*words):
        monkeypatch.chdir(files)
        code, _, err = command(*words)
        return code, err

    return call


def commands(app, *path):
    """([words of the command], its function) of every command."""
    for command in app.registered_commands:
        yield [*path, command.name or command.callback.__name__], command.callback
    for group in app.registered_groups:
        yield from commands(group.typer_instance, *path, group.name)


def options(*kinds):
    """(words of a command with what it needs, an option that takes one of these kinds)."""
    for words, function in commands(cli.app):
        parameters = inspect.signature(function).parameters
        required = [name for name, p in parameters.items() if p.default is p.empty]
        needed = [word for name in required for word in NEEDED[name]]
        for name, parameter in parameters.items():
            kind, info, *_ = (*typing.get_args(parameter.annotation), None, None)
            taken = {kind, *typing.get_args(kind)}
            taken |= {each for one in taken for each in typing.get_args(one)}
            if set(kinds) & taken and isinstance(info, typer.models.OptionInfo):
                declared = [info.default, *(info.param_decls or ())]
                declared = [text for text in declared if str(text).startswith("--")]
                yield [*words, *needed], (declared or [f"--{name.replace('_', '-')}"])[0]


OPTIONS = list(options(int, float))


def test_there_are_such_options_in_every_kind_of_command():
    assert {words[0] for words, _ in OPTIONS} >= {"style", "dream", "combine", "film", "study"}
    assert len(OPTIONS) > 50


def check_line(err, option, value, shown=()):
    """One line on stderr, not too long, that names the option or has one of the words in `shown`.

    A progress bar may come before it, which isn't on a line of its own.
    """
    assert "Traceback" not in err, err
    *bars, err = err.strip().splitlines()
    assert all("|" in bar or not bar.strip() for bar in bars), bars
    assert err.startswith("dreamkit: "), err
    assert "No such option" not in err, err
    assert len(err) < 1000 + len(value), err
    name = option.removeprefix("--")
    names = [option, name, name.replace("-", "_"), *ALSO.get(option, [])]
    said = err.removeprefix("dreamkit: ")
    assert any(word in said for word in (*names, *shown)), (option, value, err)


def try_all(calls, call, tried):
    for (words, option), value in calls:
        started = time.perf_counter()
        code, err = call(*words, f"{option}={value}")
        assert code == 2, (words, option, value, err)
        check_line(err, option, value)
        assert time.perf_counter() - started < 20
    tried("hostile numbers on the command line", len(calls))


CALLS = list(itertools.product(OPTIONS, NONSENSE))


def test_nonsense_for_a_number_is_one_line(call, tried):
    try_all(CALLS[::10], call, tried)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_any_nonsense_for_any_number_is_one_line(part, call, tried):
    try_all(CALLS[part::4], call, tried)


@pytest.mark.parametrize("option", ["--moodle", "--canvas", "--page"])
@pytest.mark.parametrize("place", ["", "submitted", "a/../.."])
def test_a_quiz_is_not_written_in_the_place_of_a_folder(option, place, call):
    code, err = call("quiz", f"{option}={place}", "--overwrite")
    assert code == 2
    assert err.endswith("is a folder: give the name of a file in it.\n")


def test_a_study_with_an_empty_scheduler_is_told_about_the_scheduler(call):
    code, err = call("study", "--scheduler=")
    assert code == 2
    assert "No Dask scheduler answers at ''" in err


def test_the_home_of_nobody_is_one_line(call):
    for words in (["--out=~no-such-user/x.png"], ["--out", "~no-such-user/x.png"]):
        code, err = call("style", "chelsea", "--steps=1", "--size=48", *words)
        assert code == 2
        assert err.endswith("cannot be '~no-such-user/x.png': there is no such user here.\n")


# Texts, names and paths: some are right, and a picture is made

SHORT = {
    "steps": "--steps=1", "size": "--size=48", "octaves": "--octaves=1", "frames": "--frames=2",
    "keyframes": "--keyframes=1", "stop": "--stop=2", "overwrite": "--overwrite",
}  # fmt: skip
# A study and the grading of a notebook take a minute, and a server goes on for ever.
LEFT_OUT = {("grade", "--out"), ("study", "--out"), ("app", "--host"), ("app", "--token")}


def texts():
    """(words, option, text) of every option that takes a text or a path."""
    known = {" ".join(words): inspect.signature(f).parameters for words, f in commands(cli.app)}
    for words, option in options(str, Path):
        if (words[0], option) in LEFT_OUT:
            continue
        name = next(name for name in (" ".join(words[:2]), words[0]) if name in known)
        short = [flag for argument, flag in SHORT.items() if argument in known[name]]
        yield from ((words + short, option, text) for text in TEXTS)


ALL_TEXTS = list(texts())


def try_texts(calls, call, tried):
    """Each is right, or refused in a line that names it; a picture is nowhere but in the folder."""
    refused = 0
    for words, option, text in calls:
        started = time.perf_counter()
        code, err = call(*words, f"{option}={text}")
        assert code in (0, 2), (words, option, text, code, err)
        if code == 2:
            start = re.match(r"[ -9;-~]*", text)[0][:15]  # of NAME:WEIGHT, or of a long name
            shown = [start] if len(start) > 2 else []
            check_line(err, option, text, [*shown, repr(text), repr(str(Path(text)))])
            refused += 1
        assert time.perf_counter() - started < 20
    assert refused > len(calls) / 2
    tried("hostile texts on the command line", len(calls))


def test_nonsense_for_a_text_is_one_line(call, tried):
    try_texts(ALL_TEXTS[::43], call, tried)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_any_nonsense_for_any_text_is_one_line(part, call, tried):
    try_texts(ALL_TEXTS[part::4], call, tried)

"""Every number that a command takes: nonsense is one line on stderr and exit code 2, at once."""

import inspect
import itertools
import time
import typing

import pytest

from dreamkit.commands import cli

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
NEEDED = {
    "photos": ["chelsea"], "styles": ["mosaic"], "photo": ["chelsea"], "video": ["nosuch.mp4"],
    "checkpoint": ["nosuch.npz"], "recipe": ["style"],
}  # fmt: skip


def commands(app, *path):
    """([words of the command], its function) of every command."""
    for command in app.registered_commands:
        yield [*path, command.name or command.callback.__name__], command.callback
    for group in app.registered_groups:
        yield from commands(group.typer_instance, *path, group.name)


def numbers():
    """(words of a command with what it needs, an option that takes a number)."""
    for words, function in commands(cli.app):
        parameters = inspect.signature(function).parameters
        required = [name for name, p in parameters.items() if p.default is p.empty]
        needed = [word for name in required for word in NEEDED.get(name, [])]
        for name, parameter in parameters.items():
            kind, info, *_ = (*typing.get_args(parameter.annotation), None, None)
            if {int, float} & {kind, *typing.get_args(kind)}:
                declared = [text for text in info.param_decls or () if text.startswith("--")]
                yield [*words, *needed], (declared or [f"--{name.replace('_', '-')}"])[0]


OPTIONS = list(numbers())


def test_there_are_such_options_in_every_kind_of_command():
    assert {words[0] for words, _ in OPTIONS} >= {"style", "dream", "combine", "film", "study"}
    assert len(OPTIONS) > 50


def try_all(calls, command, tried):
    for (words, option), value in calls:
        started = time.perf_counter()
        code, _, err = command(*words, f"{option}={value}")
        assert code == 2, (words, option, value, err)
        assert err.startswith("dreamkit: "), err
        assert err.count("\n") == 1, err
        assert len(err) < 1000 + len(value), err
        assert time.perf_counter() - started < 20
    tried("hostile numbers on the command line", len(calls))


CALLS = list(itertools.product(OPTIONS, NONSENSE))


def test_nonsense_for_a_number_is_one_line(command, tried):
    try_all(CALLS[::10], command, tried)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_any_nonsense_for_any_number_is_one_line(part, command, tried):
    try_all(CALLS[part::4], command, tried)

"""Every number that a command takes: nonsense is one line on stderr and exit code 2, at once."""

import time

import pytest
import typer

from dreamkit.commands import cli

NONSENSE = ("nan", "inf", "-inf", "-1", "1e999", "x", "", "²", "9" * 50, "9" * 5000, "0x10", "None")
NEEDED = {
    "photos": ["chelsea"], "styles": ["mosaic"], "photo": ["chelsea"], "video": ["nosuch.mp4"],
    "checkpoint": ["nosuch.npz"], "recipe": ["style"],
}  # fmt: skip


def commands(group, *path):
    """([words of the command], its click command) of every command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield [*path, name], command


def numbers():
    """(words of a command with what it needs, an option that takes a number)."""
    for words, command in commands(typer.main.get_command(cli.app)):
        needed = [n for p in command.params if p.required for n in NEEDED.get(p.name, [])]
        for parameter in command.params:
            kind = parameter.type.name.lower()
            if any(word in kind for word in ("int", "float", "size")):
                yield [*words, *needed], parameter.opts[0]


OPTIONS = list(numbers())


def test_there_are_such_options_in_every_kind_of_command():
    assert {words[0] for words, _ in OPTIONS} >= {"style", "dream", "combine", "film", "study"}
    assert len(OPTIONS) > 50


@pytest.mark.parametrize("part", range(4))
def test_nonsense_for_a_number_is_one_line(part, command, tried):
    count = 0
    for words, option in OPTIONS[part::4]:
        for value in NONSENSE:
            started = time.perf_counter()
            code, _, err = command(*words, f"{option}={value}")
            assert code == 2, (words, option, value, err)
            assert err.startswith("dreamkit: "), err
            assert err.count("\n") == 1, err
            assert len(err) < 1000 + len(value), err
            assert time.perf_counter() - started < 20
            count += 1
    tried("hostile numbers on the command line", count)

"""Results have names that every system accepts, and consoles print whatever they can."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamkit import load_image, save_image
from dreamkit.batch.sources import names
from dreamkit.commands import demo
from dreamkit.commands.film import film_path
from dreamkit.commands.making import free_path, label
from dreamkit.inputs.names import plain_name, stem_of

ROOT = Path(__file__).parents[2]
FORBIDDEN = set('<>:"/\\|?* ') | {chr(n) for n in range(32)}
DEVICES = {"con", "prn", "aux", "nul", "com1", "lpt9"}


@settings(derandomize=True, database=None, max_examples=300, deadline=None)
@given(st.text(max_size=30) | st.sampled_from([*DEVICES, "NUL.txt", "a.", ". .", "COM1.tar.gz"]))
def test_any_text_becomes_a_name_that_windows_accepts(text):
    name = plain_name(text)
    assert name
    assert not set(name) & FORBIDDEN
    assert not name.endswith(".")
    assert name.split(".")[0].lower() not in DEVICES


@pytest.mark.parametrize(
    ("photo", "stem"),
    [
        ("chelsea", "chelsea"),
        ("folder/my cat.v2.jpg", "my_cat.v2"),
        ("https://example.org/a%20cat.png?size=3:4&x=*", "a_cat"),
        ("https://example.org/", "picture"),
        ("HTTP://example.org/a?b=c|d", "a"),
        ("data:image/png;base64,AAAA", "picture"),
    ],
)
def test_a_result_is_called_after_its_photo(photo, stem, tmp_path):
    assert stem_of(photo) == stem
    assert free_path(tmp_path, photo, "mosaic", False).name == f"{stem}-mosaic.png"
    assert film_path(tmp_path, photo, "zoom").name == f"{stem}-zoom.mp4"


def test_a_label_is_kept_whole(tmp_path):
    assert free_path(tmp_path, "cat.png", "St. Bernard", False).name == "cat-St._Bernard.png"
    assert label(["paint/oil.v2.png:0.5", "mosaic"]) == "oil.v2-mosaic"


def test_addresses_in_a_batch_have_names_that_windows_accepts():
    found = [names(address) for address in ("https://e.org/a?b=1:2", "https://e.org/a?b=3|4")]
    assert found[0][0] == found[1][0] == "a"
    assert found[0][1] != found[1][1]
    assert names("x y.png")[0] == "x_y"
    assert not set("".join(itertools.chain(*found))) & FORBIDDEN


def test_an_out_that_ends_in_a_number_is_a_folder(tmp_path):
    out = tmp_path / "run1.5"
    assert free_path(out, "chelsea", "mosaic", False) == out / "chelsea-mosaic.png"
    assert film_path(out, "chelsea", "zoom") == out / "chelsea-zoom.mp4"
    assert free_path(tmp_path / "cat.jpg", "chelsea", "mosaic", False) == tmp_path / "cat.jpg"


def test_a_console_that_knows_few_letters_stops_nothing(tmp_path):
    photo = tmp_path / "café….png"
    save_image(photo, load_image("chelsea", 48))
    arguments = ["style", photo, "--style", "mosaic", "--steps", "1", "--seed", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DREAMKIT_PROFILE": "ci"}
    environment |= {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    code = (
        "import dreamkit as dk; from dreamkit.system.console import say; say('caf\\xe9 …')\n"
        "from dreamkit.commands.cli import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        cwd=tmp_path,
        env=environment,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(rb"caf\xe9 \u2026")
    assert rb"caf\xe9\u2026-mosaic.png" in run.stdout
    assert b"style 1/1" in run.stderr, "no progress was shown"
    made = {path.name for path in (tmp_path / "outputs").iterdir()}
    assert made == {f"café…-mosaic.{end}" for end in ("csv", "json", "png")}


@pytest.mark.parametrize("make", [True, False])
def test_the_demos_last_words_suit_those_without_make(make, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(demo.shutil, "which", lambda name: "/usr/bin/make" if make else None)
    words = demo.next_steps("mosaic", tmp_path)
    assert ("make dream STYLE=woodcut_wave OUT=outputs/woodcut_wave" in words) is make
    assert ("python -m dreamkit demo --style woodcut_wave --out outputs/" in words) is not make
    assert ("make" in words) is make

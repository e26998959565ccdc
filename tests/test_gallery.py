"""The README's pictures can be reproduced from the settings next to them."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import dreamkit as dk

GALLERY = Path(__file__).parents[1] / "data" / "gallery"
CONTROLS = GALLERY / "controls"
SETTINGS = sorted(GALLERY.glob("*.json"))


def test_the_gallery_is_small():
    pictures = list(GALLERY.glob("*.jpg"))
    assert 4 <= len(pictures) <= 10
    assert sum(path.stat().st_size for path in pictures) < 2_500_000


def test_the_pictures_of_the_controls_are_small():
    pictures = list((GALLERY / "controls").glob("*.jpg"))
    assert pictures
    assert max(path.stat().st_size for path in pictures) <= 60_000


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_every_picture_has_its_settings_and_sources_with_a_licence(path):
    settings = json.loads(path.read_text("utf-8"))
    assert path.with_suffix(".jpg").is_file()
    assert settings["recipe"] in ("style_transfer", "deep_dream", "dream_style")
    for picture in settings["inputs"].values():
        assert dk.samples()[picture["source"]].licence


RERUN = """
import sys
import numpy as np
import dreamkit as dk
np.save(sys.argv[2], dk.rerun(sys.argv[1], progress=False).image)
"""


@pytest.mark.slow
def test_an_offline_picture_is_reproduced(avx512, tmp_path):
    path = GALLERY / "offline-style.json"
    threads = {"TF_NUM_INTRAOP_THREADS": "2"}  # as it was made: sums round by their number
    command = [sys.executable, "-c", RERUN, path, tmp_path / "again.npy"]
    subprocess.run(command, env=os.environ | threads, timeout=240, check=True)
    again, shown = np.load(tmp_path / "again.npy"), dk.load_image(path.with_suffix(".jpg"))
    assert np.abs(gaussian_filter(again - shown, (8, 8, 0))).mean() < 0.015  # seen from afar
    if avx512:  # other processors round differently, which changes strokes: a difference of 0.13
        assert np.abs(again - shown).mean() < 0.03  # JPEG


# The controls


def test_every_control_of_the_gallery_has_a_small_picture_and_settings_to_make_it_again():
    script = runpy.run_path(str(CONTROLS / "make.py"))
    names = set(script["CONTROLS"])
    assert {path.stem for path in CONTROLS.glob("*.jpg")} == names | {script["SHEET"]}
    for name in names:
        picture = CONTROLS / f"{name}.jpg"
        assert picture.stat().st_size <= script["LARGEST_FILE"]
        assert dk.load_image(picture).shape[1] == 3 * script["PANEL"] + 2 * script["GAP"]
        (recipe, shared), pictures, _, control = script["CONTROLS"][name]
        noted = json.loads(picture.with_suffix(".json").read_text("utf-8"))
        wanted = shared | pictures | control
        assert noted["recipe"] == recipe
        for argument in wanted.keys() & noted["arguments"].keys() - {"channel", "style"}:
            assert noted["arguments"][argument] == wanted[argument], argument
        for argument in pictures.keys() & noted["inputs"].keys():
            assert noted["inputs"][argument]["source"] == pictures[argument]


def test_the_sheet_of_channels_is_small_and_has_settings_to_make_its_last_picture_again():
    script = runpy.run_path(str(CONTROLS / "make.py"))
    picture = CONTROLS / f"{script['SHEET']}.jpg"
    assert picture.stat().st_size <= script["LARGEST_FILE"]
    noted = json.loads(picture.with_suffix(".json").read_text("utf-8"))
    assert noted["recipe"] == "visualise"
    assert noted["arguments"]["channel"] == script["CHANNELS"][-1]
    for argument in script["UNIT"].keys() & noted["arguments"].keys():
        assert noted["arguments"][argument] == script["UNIT"][argument], argument

"""The full study's results are complete, and the README and notebook 05 quote them correctly."""

import json
import re
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from dreamkit.study.cells import COLUMNS
from dreamkit.study.design import PRESETS, Design, cells
from dreamkit.study.effects import effects, per_cent
from dreamkit.study.figures import signed
from notebook_tools import ROOT, load

FOLDER = ROOT / "data" / "study"
NETWORKS = {"style_networks", "dream_networks", "variant_network"}  # depend on the weights at hand
WORDS = (
    *("no", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten", "eleven"),
)


@pytest.fixture(scope="module")
def table():
    return pd.read_parquet(FOLDER / "results.parquet")


@pytest.fixture(scope="module")
def design():
    notes = json.loads((FOLDER / "design.json").read_text("utf-8"))
    plain = {field.name: notes[field.name] for field in fields(Design)}
    return Design(**{k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()})


def test_the_design_is_the_full_preset_with_the_networks_that_were_available(design):
    for field in fields(Design):
        value, preset = getattr(design, field.name), getattr(PRESETS["full"], field.name)
        if field.name in NETWORKS:
            assert set(np.atleast_1d(value)) <= {"squeezenet", "vgg19", "vgg16", "inception_v3"}
        else:
            assert value == preset, field.name


def test_every_cell_of_the_design_is_in_the_table_once(table, design):
    wanted = cells(design)
    assert list(table["cell"]) == [cell.digest for cell in wanted]
    assert table["cell"].is_unique
    for column in ("recipe", "variant", "network", "picture", "style", "kind", "severity", "seed"):
        assert list(table[column]) == [getattr(cell, column) for cell in wanted], column


def test_every_distorted_cell_has_its_clear_one(table):
    shared = ["recipe", "variant", "network", "role", "style", "picture", "seed", "size", "steps"]
    clear = table[table["kind"] == "clear"]
    distorted = table[table["kind"] != "clear"]
    pairs = distorted.merge(clear, on=shared, validate="many_to_one")
    assert len(pairs) == len(distorted) == len(table) - len(clear)
    assert set(clear["severity"]) == {0.0}


def test_the_columns_are_those_of_the_dictionary(table):
    dictionary = (FOLDER / "README.md").read_text("utf-8").split("## The columns")[1]
    rows = re.findall(r"(?m)^\| (`.*?`) \| ", dictionary)
    names = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert tuple(names) == COLUMNS == tuple(table.columns)


def test_the_values_are_what_the_dictionary_says(table):
    style, dream = (table[table["recipe"] == recipe] for recipe in ("style", "dream"))
    numbers = table.select_dtypes("number").drop(
        columns=["content_end", "style_start", "style_end"]
    )
    assert np.isfinite(numbers).all(axis=None)
    assert (table[["start_raw", "end_raw", "start_relative", "end_relative"]] > 0).all(axis=None)
    total = style["content_end"] + 40 * style["style_end"]
    np.testing.assert_allclose(style["end_relative"], total, rtol=1e-4)
    np.testing.assert_allclose(dream["end_relative"], dream["end_raw"] / dream["start_raw"])
    assert dream["content_end"].isna().all()
    assert table["severity"].between(0, 1).all()
    assert table["clutter"].between(0, 1).all()


def test_clear_scenes_are_in_the_order_of_their_clutter(table):
    scenes = table[(table["origin"] == "scene") & (table["kind"] == "clear")]
    assert scenes.groupby("picture")["clutter"].first().is_monotonic_increasing


def test_the_files_are_small_and_contain_no_machine_paths():
    for name, most in (("results.parquet", 500_000), ("design.json", 10_000)):
        content = (FOLDER / name).read_bytes()
        assert len(content) < most
        assert not re.search(rb"/(tmp|home|root|work|Users)/", content)


def family(table, recipe, network, measure):
    """Effects of one family at severity 1, by kind."""
    base = table[(table["variant"] == "base") & (table["network"] == network)]
    found = effects(base[base["recipe"] == recipe], measure)
    return found[found["severity"] == 1].set_index("kind")


def change(effect):
    return signed(round(per_cent(effect)))


def test_the_readmes_numbers_follow_from_the_table(table):
    text = " ".join((ROOT / "README.md").read_text("utf-8").split("## Clear or")[1].split())
    dreams = family(table, "dream", "inception_v3", "end_raw")
    styles = family(table, "style", "vgg16", "end_raw")
    shares = family(table, "style", "vgg16", "end_relative")
    for rows, verdict in ((dreams, "as claimed"), (styles, "opposite")):
        count = WORDS[(rows["verdict"] == verdict).sum()]
        lines = rows.loc["lines"]
        low, high = change(lines["low"]), change(lines["high"])
        assert f"{count} of eleven" in text
        assert lines["verdict"] == verdict
        assert f"({change(lines['effect'])}, " in text
        assert f"{low} to {high})" in text
    claimed = shares.index[shares["verdict"] == "as claimed"]
    assert {"blur", "low_contrast"} <= set(claimed)
    assert f"({change(shares.loc['blur', 'effect'])} for blur)" in text
    marks = shares.loc[["lines", "circles", "colour_patches", "shapes", "mixed"]]
    assert (marks["verdict"] == "opposite").all()


NAMES = "blur noise JPEG low_contrast swirl pixelation lines circles colour_patches shapes mixed"
QUOTE = re.compile(rf"({NAMES.replace(' ', '|').replace('_', ' ')}) ([−+]?\d+ %)")
VERDICTS = re.compile(rf"as claimed|opposite|open|{QUOTE.pattern}")


def passage(start, stop="\n\n"):
    """The text of notebook 05 from one phrase to another, on one line."""
    texts = [cell.source for cell in load("05_clear_or_distorted.ipynb").cells]
    text = next(text for text in texts if start in text).split(start)[1]
    return " ".join(text.split(stop)[0].split())


@pytest.mark.parametrize(
    ("start", "stop", "recipe", "network", "measure", "count"),
    [
        ("The loss is *lower*, at a corrected p", "\n\n", "style", "vgg16", "end_raw", 10),
        ("The claim says lower, and so it is", "\n\n", "dream", "inception_v3", "end_raw", 11),
        ("Now three distortions raise", "In SqueezeNet", "style", "vgg16", "end_relative", 11),
        ("says how much has *grown*", "\n\n", "dream", "inception_v3", "end_relative", 6),
        ("With VGG-16 the raw loss\nat the end", "Nor does", "style", "vgg16", "end_raw", 5),
        ("Nor does the dream's half", "\n\n", "dream", "inception_v3", "end_raw", 3),
        ("**Holds:** the claim about *dreams*", "\n\n", "dream", "inception_v3", "end_raw", 5),
    ],
)
def test_notebook_5s_numbers_follow_from_the_table(
    table, start, stop, recipe, network, measure, count
):
    found = family(table, recipe, network, measure)["effect"]
    quoted = QUOTE.findall(passage(start, stop))
    assert len(quoted) == count
    for name, value in quoted:
        assert value == change(found[name.lower().replace(" ", "_")]), name


def test_notebook_5s_numbers_for_the_variants_follow_from_the_table(table, design):
    same = table[(table["network"] == "vgg16") & table["picture"].isin(design.variant_pictures)]
    same = same[same["kind"].isin(["clear", *design.variant_kinds])]
    same = same[same["severity"].isin([0, 1])]
    for measure, part in (("end_raw", 0), ("end_relative", 1)):
        found = effects(same, measure).set_index(["variant", "kind"])
        for variant in ("base", *design.variants):
            text = passage(f"**{variant.capitalize()}", "\n-").split("Relative,")[part]
            quoted, verdict = 0, None
            for match in VERDICTS.finditer(text.split("Here")[0]):
                if match[1] is None:
                    verdict = match[0]
                    continue
                row = found.loc[variant, match[1].replace(" ", "_")]
                assert match[2] == change(row["effect"]), (variant, match)
                assert verdict == row["verdict"], (variant, match)
                quoted += 1
            assert quoted == len(design.variant_kinds), (variant, measure)

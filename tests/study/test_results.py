"""The full study's results are complete, and the README and notebook 06 quote them correctly."""

import dataclasses
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
from dreamkit.study.replication import agreement, compare
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
def replication():
    return pd.read_parquet(FOLDER / "replication_vgg16.parquet")


@pytest.fixture(scope="module")
def design():
    return read_design("design.json")


def read_design(name):
    notes = json.loads((FOLDER / name).read_text("utf-8"))
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


def test_the_replication_has_every_vgg16_cell_of_its_design_once_and_no_other(replication):
    wanted = [c for c in cells(read_design("replication_vgg16.json")) if c.network == "vgg16"]
    assert list(replication["cell"]) == [cell.digest for cell in wanted]
    assert tuple(replication.columns) == COLUMNS
    text = (FOLDER / "README.md").read_text("utf-8")
    assert f"in the place of VGG-19: {len(wanted)} cells" in text


def test_the_replication_differs_from_the_study_in_the_network_alone(table, replication, design):
    first = dataclasses.asdict(read_design("replication_vgg16.json"))
    second = dataclasses.asdict(design)
    assert {name for name in second if first[name] != second[name]} == {
        "style_networks",
        "variant_network",
    }
    same = ["recipe", "variant", "role", "style", "picture", "kind", "severity", "seed", "size"]
    same += ["steps", "edge_density", "colour_entropy", "clutter"]
    of_vgg19 = table[table["network"] == "vgg19"].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_vgg19[same], replication[same])


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
    for name, most in (
        *(("results.parquet", 500_000), ("design.json", 10_000)),
        *(("replication_vgg16.parquet", 250_000), ("replication_vgg16.json", 10_000)),
    ):
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
    styles = family(table, "style", "vgg19", "end_raw")
    shares = family(table, "style", "vgg19", "end_relative")
    for rows, verdict in ((dreams, "as claimed"), (styles, "opposite")):
        count = WORDS[(rows["verdict"] == verdict).sum()]
        lines = rows.loc["lines"]
        low, high = change(lines["low"]), change(lines["high"])
        assert f"{count} of eleven" in text
        assert lines["verdict"] == verdict
        assert f"({change(lines['effect'])}, " in text
        assert f"{low} to {high})" in text
    higher = {"blur", "low_contrast"}
    assert set(styles.index[styles["verdict"] == "as claimed"]) == higher
    assert "it ends higher for blur and low contrast." in text
    assert set(shares.index[shares["verdict"] == "as claimed"]) == {*higher, "pixelation"}
    assert f"({change(shares.loc['blur', 'effect'])} for blur)" in text
    marks = shares.loc[["lines", "circles", "colour_patches", "shapes", "mixed"]]
    assert (marks["verdict"] == "opposite").all()


@pytest.fixture(scope="module")
def both(table, replication):
    """Effects of both VGG networks side by side, by severity."""
    tables = pd.concat([table[table["network"] == "vgg19"], replication])
    tables = tables[tables["variant"] == "base"]
    found = pd.concat([effects(tables, measure) for measure in ("end_raw", "end_relative")])
    return {severity: compare(found, "vgg16", "vgg19", severity) for severity in (0.5, 1.0)}


def changes(both, kind, measure="end_raw"):
    """The quoted changes and verdicts of one distortion, VGG-16 first."""
    row = both.set_index(["measure", "kind"]).loc[measure, kind]
    values = [change(row["effect_first"]), change(row["effect_second"])]
    return values, [row["verdict_first"], row["verdict_second"]]


def test_the_readmes_sentences_on_the_two_vggs_follow_from_the_tables(both):
    text = " ".join((ROOT / "README.md").read_text("utf-8").split("## Clear or")[1].split())
    counts = agreement(both[1.0])
    raw, relative = (WORDS[counts.loc[m, "same_verdict"]] for m in ("end_raw", "end_relative"))
    assert f"{raw} of eleven by the raw loss and on {relative} of eleven by the relative" in text
    assert not counts["contradicted"].any()
    assert "none is as claimed with one network" in text
    (first, second), _ = changes(both[1.0], "blur")
    assert f"blur ({first} with VGG-16, {second} with VGG-19)" in text
    (first, second), _ = changes(both[1.0], "pixelation")
    assert f"pixelation ({first} and {second})" in text
    differ = both[1.0].loc[~both[1.0]["same_verdict"], ["measure", "kind"]]
    assert differ.to_numpy().tolist() == [["end_raw", "blur"], ["end_raw", "pixelation"]]


def test_notebook_5s_sentences_on_the_two_vggs_follow_from_the_tables(both):
    agree, differ = (passage(f"**Where they {word}.**") for word in ("agree", "do not"))
    counts = agreement(both[1.0])
    assert f"rank correlation of {counts.loc['end_relative', 'rho']:.2f}" in agree
    assert f"Raw, on nine ({counts.loc['end_raw', 'rho']:.2f})" in agree
    assert list(counts["same_verdict"]) == [9, 11]
    assert not counts["contradicted"].any()
    for kind in ("lines", "circles", "colour_patches", "shapes", "mixed", "noise", "swirl"):
        assert changes(both[1.0], kind)[1] == ["opposite", "opposite"], kind
    assert changes(both[1.0], "low_contrast")[1] == ["as claimed", "as claimed"]
    assert changes(both[1.0], "jpeg")[1] == ["open", "open"]
    (first, second), (was, now) = changes(both[1.0], "blur")
    assert f"blur is {first} ({was}) with VGG-16 and {second} ({now}) with VGG-19" in differ
    (first, second), (was, now) = changes(both[1.0], "pixelation")
    assert f"pixelation {first} ({was}) and {second} ({now})" in differ
    (first, second), _ = changes(both[1.0], "low_contrast")
    assert f"Low contrast rises with both, but by {first} and {second}" in differ
    (first, second), _ = changes(both[0.5], "low_contrast")
    assert f"half the severity ({first} with VGG-16, {second} with VGG-19)" in differ
    assert list(agreement(both[0.5])["contradicted"]) == [1, 0]


def test_notebook_5s_doses_and_intervals_follow_from_the_tables(both):
    doses, part = passage("falls are mostly there"), passage("**Holds in part:**")
    for kind in ("lines", "blur", "low_contrast"):
        half, full = (changes(both[severity], kind)[0][1] for severity in (0.5, 1.0))
        assert f"{kind.replace('_', ' ')} {half}, then {full}" in doses
    half, full = (both[s].query("measure == 'end_raw'").set_index("kind") for s in (0.5, 1.0))
    ratios = (half["effect_second"] / full["effect_second"])[full["verdict_second"] == "opposite"]
    assert f"median of the {WORDS[len(ratios)]} that" in doses
    assert f"against the claim {round(100 * ratios.median())} %)" in doses
    (first, second), _ = changes(both[1.0], "low_contrast")
    assert f"with VGG-19 ({second}) and with VGG-16 ({first})" in part
    blur = full.loc["blur"]
    for which, name in (("first", "VGG-16"), ("second", "VGG-19")):
        low, middle, high = (change(blur[f"{end}_{which}"]) for end in ("low", "effect", "high"))
        low, high = (end.removesuffix(" %").removeprefix("+") for end in (low, high))
        assert f"{name} ({middle} [{low}, {high}]" in part


@pytest.fixture(scope="module")
def varied(table, replication, design):
    """Effects under each variant, by network and measure."""
    parts = {"vgg19": table, "vgg16": replication}
    return {
        (network, measure): effects(of_variants(rows, network, design), measure).set_index(
            ["variant", "kind"]
        )
        for network, rows in parts.items()
        for measure in ("end_raw", "end_relative")
    }


def test_the_vggs_contradict_each_other_in_one_variant_as_notebook_5_says(varied):
    for measure, expected in (("end_raw", [("base", "blur")]), ("end_relative", [])):
        first, second = (varied[network, measure]["verdict"] for network in ("vgg16", "vgg19"))
        second = second.reindex(first.index)
        contradicted = (first != second) & (first != "open") & (second != "open")
        assert list(first.index[contradicted]) == expected
    first, second = (
        change(varied[network, "end_raw"].loc[("base", "blur"), "effect"])
        for network in ("vgg16", "vgg19")
    )
    text = passage("**Where they do not.**")
    assert f"blur on the ten photos alone ({first} and {second}, section 5.9)" in text


def of_variants(table, network, design):
    """The cells that the variants are compared with, and their own."""
    same = table[(table["network"] == network) & table["picture"].isin(design.variant_pictures)]
    same = same[same["kind"].isin(["clear", *design.variant_kinds])]
    return same[same["severity"].isin([0, 1])]


NAMES = "blur noise JPEG low_contrast swirl pixelation lines circles colour_patches shapes mixed"
QUOTE = re.compile(rf"({NAMES.replace(' ', '|').replace('_', ' ')}) ([−+]?\d+ %)")
VERDICTS = re.compile(rf"as claimed|opposite|open|{QUOTE.pattern}")


def passage(start, stop="\n\n"):
    """The text of notebook 06 from one phrase to another, on one line."""
    texts = [cell.source for cell in load("06_clear_or_distorted.ipynb").cells]
    text = next(text for text in texts if start in text).split(start)[1]
    return " ".join(text.split(stop)[0].split())


@pytest.mark.parametrize(
    ("start", "stop", "recipe", "network", "measure", "count"),
    [
        ("The loss is *lower*, at a corrected p", "\n\n", "style", "vgg19", "end_raw", 11),
        ("The claim says lower, and so it is", "\n\n", "dream", "inception_v3", "end_raw", 11),
        ("Now three distortions raise", "In SqueezeNet", "style", "vgg19", "end_relative", 11),
        ("says how much has *grown*", "\n\n", "dream", "inception_v3", "end_relative", 6),
        ("With VGG-19 the raw loss\nat the end", "Nor does", "style", "vgg19", "end_raw", 5),
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


def test_notebook_5s_numbers_for_the_variants_follow_from_the_table(varied, design):
    for measure, part in (("end_raw", 0), ("end_relative", 1)):
        found = varied["vgg19", measure]
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

"""The full study's results are complete; README, notebook 06 and its appendix quote them right."""

import dataclasses
import json
import re
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from dreamkit.study.cells import COLUMNS
from dreamkit.study.design import PRESETS, Design, cells
from dreamkit.study.effects import by_clutter, effects, paired, per_cent
from dreamkit.study.figures import signed
from dreamkit.study.mixed_model import mixed_model
from dreamkit.study.replication import agreement, compare
from notebook_tools import ROOT, load

FOLDER = ROOT / "data" / "study"
NETWORKS = {"style_networks", "dream_networks", "variant_network"}  # depend on what is available
ALL_SIGNS = 2**10  # resamples that make a test of ten photos exact, where no interval is quoted
ONLY_EFFECTS = 99  # … where no p value is quoted either
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


@pytest.fixture(scope="module")
def varied(table, replication, design):
    """Effects under each variant, by network and measure."""
    parts = {"vgg19": table, "vgg16": replication}
    return {
        (network, measure): effects(
            of_variants(rows, network, design), measure, ALL_SIGNS
        ).set_index(["variant", "kind"])
        for network, rows in parts.items()
        for measure in ("end_raw", "end_relative")
    }


def of_variants(table, network, design):
    """The cells that the variants are compared with, and their own."""
    same = table[(table["network"] == network) & table["picture"].isin(design.variant_pictures)]
    same = same[same["kind"].isin(["clear", *design.variant_kinds])]
    return same[same["severity"].isin([0, 1])]


# What the lecture (notebook 06) and its appendix say

LECTURE, APPENDIX = "06_clear_or_distorted.ipynb", "appendix_statistics.ipynb"
MARKS = ["lines", "circles", "colour_patches", "shapes", "mixed"]
STYLE, DREAM = ("style", "vgg19", 1.0), ("dream", "inception_v3", 1.0)
QUICK = ("style", "squeezenet", 1.0)
NAMES = "blur noise JPEG low_contrast swirl pixelation lines circles colour_patches shapes mixed"
QUOTE = re.compile(
    rf"({NAMES.replace(' ', '|').replace('_', ' ')}) ([−+]?\d+ %)(?: \[([−\d]+), ([−\d]+)\])?",
    re.IGNORECASE,
)
VERDICTS = re.compile(rf"as claimed|opposite|open|{QUOTE.pattern}", re.IGNORECASE)
NUMBER = re.compile(r"[−+]?\d[\d.,]* %|ρ = \S+|p [=≤] 0\.\d+|\d+\.\d\d times|\[[−\d]+, [−\d]+\]")


def prose(name):
    """A notebook's text on one line, with a ¶ between paragraphs."""
    texts = [cell.source for cell in load(name).cells if cell.cell_type == "markdown"]
    return " ".join("\n\n".join(texts).replace("\n\n", " ¶ ").split())


def passage(name, start, stop="¶"):
    """The text of a notebook from one phrase, which it has once, to another."""
    text = prose(name)
    assert text.count(start) == 1, start
    return start + text.split(start)[1].split(stop)[0]


@pytest.fixture(scope="module")
def base(table):
    """Effects of the base design: {measure: table with the index (recipe, network, severity)}."""
    rows = table[table["variant"] == "base"]
    resamples = dict.fromkeys(("start_raw", "end_raw", "end_relative"), 9999)
    resamples |= dict.fromkeys(("style_start", "style_end"), ONLY_EFFECTS)
    found = {measure: effects(rows, measure, count) for measure, count in resamples.items()}
    keys = ["recipe", "network", "severity", "kind"]
    return {measure: rows.set_index(keys).sort_index() for measure, rows in found.items()}


CLAIMS = [  # each passage, what it quotes, how often, and the verdicts that follow each phrase
    (LECTURE, "**Style transfer.** The claim says higher.", "¶", STYLE, "end_raw", 11,
     {"the loss is *lower*:": "opposite", "As claimed:": "as claimed", "Open:": "open"}),
    (LECTURE, "**Dream.** The claim says lower,", "¶", DREAM, "end_raw", 11,
     {"it is:": "as claimed", "The opposite:": "opposite", "Open:": "open"}),
    (LECTURE, "**Style transfer.** Pixelation", "¶", STYLE, "end_relative", 11,
     {"transfer.**": "as claimed", "marks stay": "opposite", "Open:": "open"}),
    (LECTURE, "**Dreams: it holds**", "It fails", DREAM, "end_raw", 5, {"holds**": "as claimed"}),
    (LECTURE, "all five marks end *lower*,", ";", STYLE, "end_raw", 2, {"lower*": "opposite"}),
    (LECTURE, "VGG-19's style term does end higher", ")", STYLE, "style_end", 2, None),
    (APPENDIX, "SqueezeNet has blur", ", where", QUICK, "end_raw", 2, None),
    (APPENDIX, "It has noise", ", where", QUICK, "end_raw", 1, None),
    (APPENDIX, "With Inception v3, JPEG", "This mostly", DREAM, "end_relative", 6,
     {"v3,": "opposite", "claim, and": "as claimed"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "start", "stop", "of", "measure", "count", "phrases"), CLAIMS)
def test_a_passage_quotes_the_table(base, name, start, stop, of, measure, count, phrases):
    rows, text = base[measure].loc[of], passage(name, start, stop)
    quotes = list(QUOTE.finditer(text))
    assert len(quotes) == count
    for kind, value, *ends in map(re.Match.groups, quotes):
        row = rows.loc[kind.lower().replace(" ", "_")]
        assert value == change(row["effect"]), kind
        if ends[0]:
            assert f"[{ends[0]}, {ends[1]}]" == interval(row)
    for phrase in phrases or ():
        after = [other for other in phrases if text.index(other) > text.index(phrase)]
        part = text.split(phrase)[1].split(min(after, key=text.index))[0] if after else (
            text.split(phrase)[1]
        )  # fmt: skip
        kinds = {kind.lower().replace(" ", "_") for kind, *_ in QUOTE.findall(part)}
        assert set(rows.loc[sorted(kinds), "verdict"]) == {phrases[phrase]}


def interval(row):
    """An interval as the text writes it: [−23, −12]."""
    low, high = (change(row[end]).removesuffix(" %").removeprefix("+") for end in ("low", "high"))
    return f"[{low}, {high}]"


def test_every_verdict_of_a_reading_is_in_the_lecture(base):
    for start, of, measure in (
        ("**Style transfer.** The claim says higher.", STYLE, "end_raw"),
        ("**Dream.** The claim says lower,", DREAM, "end_raw"),
        ("**Style transfer.** Pixelation", STYLE, "end_relative"),
    ):
        quoted = {
            kind.lower().replace(" ", "_") for kind, *_ in QUOTE.findall(passage(LECTURE, start))
        }
        assert quoted == set(base[measure].loc[of].index)


def test_the_lectures_comparison_by_hand_falls_for_all_ten_photos(table):
    rows = table[(table["origin"] == "photo") & (table["network"] == "vgg19")]
    pairs = paired(rows[rows["variant"] == "base"], "end_raw")
    lines = pairs[(pairs["kind"] == "lines") & (pairs["severity"] == 1)]["effect"]
    assert len(lines) == 10
    assert (lines < 0).all()
    for text in ("None of the ten is higher. All are lower", "although all five agree"):
        assert text in prose(LECTURE)


def test_the_lectures_run_shows_energy_raw_and_relative_loss_as_the_text_says():
    cell = next(c for c in load(LECTURE).cells if "content_changes =" in c.source)
    (output,) = (o for o in cell.outputs if "data" in o)
    rows = re.findall(
        r"(?m)^([a-z ]+?) +([−+]\d+) % +([−+]\d+) % +([−+]\d+) %", output.data["text/plain"]
    )
    changes = {kind: [int(v.replace("−", "-")) for v in values] for kind, *values in rows}
    assert set(changes) == {"blur", "low contrast", "noise", "lines"}
    for kind in ("blur", "low contrast"):
        energy, raw, relative = changes[kind]
        assert energy < -50
        assert energy < raw < 0 < relative
    for kind in ("noise", "lines"):
        energy, _, relative = changes[kind]
        assert relative < 0 < energy
    assert (
        "Blur and low contrast take away most of the energy, and the raw loss falls too"
        in prose(LECTURE)
    )
    assert "Noise and lines add energy, and the relative loss falls." in prose(LECTURE)


def lecture_sentences(base, both, varied):
    """Sentences of the lecture, each with the numbers that the tables give."""
    start, end = (
        base[measure].loc[DREAM, "effect"].map(change) for measure in ("start_raw", "end_raw")
    )
    yield (
        f"Blur starts at {start.blur} and ends at {end.blur}, low contrast at"
        f" {start.low_contrast} and {end.low_contrast}, pixelation at {start.pixelation} and"
        f" {end.pixelation}."
    )
    yield f"Lines start at {start.lines} and end at {end.lines}, noise at {start.noise} and"
    yield f"noise at {start.noise} and {end.noise}."
    descent = varied["vgg19", "end_raw"].loc["raw descent", "effect"].map(change)
    yield f"the signs turn: low contrast {descent.low_contrast}, blur {descent.blur} (ten photos"
    photos = varied["vgg19", "end_raw"].loc["base", "effect"].map(change)
    yield f"In section 4, lines had {photos.lines}: that was for the ten photos."
    terms = base["style_end"].loc[STYLE, "effect"][MARKS].sort_values().map(change)
    yield f"it ends between {terms.iloc[-1]} and {terms.iloc[0]} for the five marks with VGG-19"
    counts = agreement(both[1.0])["same_verdict"]
    raw, relative = (WORDS[counts[measure]] for measure in ("end_raw", "end_relative"))
    assert (raw, relative) == ("nine", "eleven")
    yield f"the same for {raw} of eleven distortions by the raw loss, and for all {relative} by the"
    yield f"half the severity has {half_dose(base, STYLE, 'opposite')} % of the effect (median)"
    lines = base["end_raw"].loc[(*STYLE, "lines")]
    yield f"is the **interval**, written like {interval(lines)}."


def half_dose(base, of, verdict):
    """The median share of the effect that half the severity has, in per cent."""
    rows = base["end_raw"].loc[of[:2]]
    half, full = rows.loc[0.5], rows.loc[1.0]
    return round(100 * (half["effect"] / full["effect"])[full["verdict"] == verdict].median())


def appendix_sentences(table, base, both, varied):
    """Sentences of the appendix, each with the numbers that the tables give."""
    raw, quick = base["end_raw"], base["end_raw"].loc[QUICK, "effect"].map(change)
    now, half = (
        raw.loc[("style", "vgg19", severity), "effect"].map(change) for severity in (1, 0.5)
    )
    dream, half_dream = (raw.loc[(*DREAM[:2], s), "effect"].map(change) for s in (1, 0.5))
    yield f"why the lecture has {interval(raw.loc[(*STYLE, 'lines')])} for lines."
    yield f"a log effect of −0.05 is −{-per_cent(-0.05):.1f} %."
    seen = {
        of: round_all(raw.loc[of].query("verdict == 'open'")["detectable"]) for of in (STYLE, DREAM)
    }
    jpeg, pixelation = (seen[STYLE][kind] for kind in ("jpeg", "pixelation"))
    yield f"For pixelation (raw, VGG-19) it is {pixelation} %, and for JPEG {jpeg} %."
    yield f"a change of {jpeg} to {pixelation} % or more"
    least, most = min(seen[DREAM].values()), max(seen[DREAM].values())
    yield f"For the dreams, {least} to {most} % would have shown."
    yield f"where VGG-19 has {now.blur} and {now.low_contrast}. It has noise {quick.noise}, where"
    yield f"{quick.noise}, where VGG-19 has {now.noise}."
    yield f"noise {half_dream.noise}, then {dream.noise}; lines {half_dream.lines}, then"
    yield f"lines {half_dream.lines}, then {dream.lines}."
    yield f"half the severity has {half_dose(base, DREAM, 'as claimed')} % of the effect (median)"
    share = half_dose(base, STYLE, "opposite")
    yield f"lines {half.lines}, then {now.lines}; the median of the seven is {share} %."
    yield f"blur {half.blur}, then {now.blur}; low contrast {half.low_contrast}, then"
    yield f"low contrast {half.low_contrast}, then {now.low_contrast}."
    was, turned = (
        varied["vgg19", "end_raw"].loc[v, "effect"].map(change) for v in ("base", "raw descent")
    )
    yield f"low contrast turns from {was.low_contrast} to {turned.low_contrast}, of blur from"
    yield f"blur from {was.blur} to {turned.blur}, of noise from {was.noise} to {turned.noise}."
    was, noise = (
        varied["vgg19", "end_relative"].loc[v, "effect"].map(change)
        for v in ("base", "noise start")
    )
    yield f"(lines {was.lines} to {noise.lines}, mixed {was.mixed} to {noise.mixed})"
    yield from replication_sentences(both, varied)
    yield from clutter_sentences(table)
    photos = table[(table["origin"] == "photo") & (table["network"] == "vgg19")]
    pairs = paired(photos[photos["variant"] == "base"], "end_raw")
    lines = pairs[(pairs["kind"] == "lines") & (pairs["severity"] == 1)]["effect"]
    yield f"lines lay between {change(lines.max())} and {change(lines.min())}."
    marks = now[raw.loc[STYLE, "effect"][MARKS].sort_values().index]
    yield f"less than what the marks change ({marks.iloc[-1]} to {marks.iloc[0]})"
    yield from share_sentences(table)
    style = base["style_start"].loc[QUICK[:2]], base["style_start"].loc[STYLE[:2]]
    first, second = (np.exp(rows.loc[(1.0, "noise"), "effect"]) for rows in style)
    style = base["style_end"].loc[QUICK[:2]], base["style_end"].loc[STYLE[:2]]
    third, fourth = (np.exp(rows.loc[(1.0, "noise"), "effect"]) for rows in style)
    yield f"starts {first:.2f} times as far from the painting as without the noise and ends"
    yield f"and ends {third:.2f} times as far; VGG-19 starts {second:.2f} times as far and ends"
    yield f"starts {second:.2f} times as far and ends {fourth:.2f} times."


def round_all(values):
    return {kind: round(per_cent(value)) for kind, value in values.items()}


def replication_sentences(both, varied):
    """What the appendix says about VGG-16 and VGG-19."""
    counts = agreement(both[1.0])
    assert list(counts["same_verdict"]) == [9, 11]
    assert list(counts["contradicted"]) == [0, 0]
    assert list(agreement(both[0.5])["contradicted"]) == [1, 0]
    yield f"a rank correlation (section 10) of {counts.loc['end_relative', 'rho']:.2f}"
    yield f"Raw, on nine ({counts.loc['end_raw', 'rho']:.2f})"
    (first, second), (was, now) = changes(both[1.0], "blur")
    yield f"blur is {first} ({was}) with VGG-16 and {second} ({now}) with VGG-19"
    (first, second), (was, now) = changes(both[1.0], "pixelation")
    yield f"pixelation {first} ({was}) and {second} ({now})"
    (first, second), _ = changes(both[1.0], "low_contrast")
    yield f"Low contrast rises with both, but by {first} and {second}"
    (first, second), _ = changes(both[0.5], "low_contrast")
    yield f"half the severity ({first} with VGG-16, {second} with VGG-19)"
    (first, second) = (
        change(varied[network, "end_raw"].loc[("base", "blur"), "effect"])
        for network in ("vgg16", "vgg19")
    )
    yield f"blur on the ten photos alone ({first} and {second})"


def clutter_sentences(table):
    """What the appendix says about cluttered pictures."""
    rows = table[table["variant"] == "base"]
    raw, relative = (
        by_clutter(rows, measure, resamples).set_index(["recipe", "network", "pictures"])
        for measure, resamples in (("end_raw", 2000), ("end_relative", 9999))  # as in its figure
    )
    style, dream = raw.loc[("style", "vgg19", "both")], raw.loc[("dream", "inception_v3", "both")]
    yield minus(
        f"the raw loss has ρ = {style['rho']:.2f} with clutter, with an interval from"
        f" {style['low']:.2f} to {style['high']:.2f}; with Inception v3, the score has"
        f" {dream['rho']:.2f}, from {dream['low']:.2f} to {dream['high']:.2f}."
    )
    quick, large = (
        relative.loc[("style", network, "scene")] for network in ("squeezenet", "vgg19")
    )
    assert list(relative.index[relative["verdict"] != "open"]) == [("style", "squeezenet", "scene")]
    assert (raw["verdict"] == "open").all()
    yield minus(f"(ρ = {quick['rho']:.2f}, corrected p = {quick['p_corrected']:.3f})")
    yield minus(f"(ρ = {large['rho']:.2f}, p = {large['p_corrected']:.3f})")


def minus(text):
    """The text with true minus signs before its numbers."""
    return re.sub(r"-(?=\d)", "−", text)


def share_sentences(table):
    """What the appendix says about the two terms, by its own function `shares`."""
    cell = next(cell for cell in load(APPENDIX).cells if "def shares" in cell.source)
    space = {"np": np, "study": table}
    exec(cell.source, space)
    large, quick = (space["shares"](name).map(change) for name in ("vgg19", "squeezenet"))
    content, style = large["content"], large["style"]
    yield f"low contrast {content.low_contrast}, blur {content.blur}, pixelation"
    yield f"pixelation {content.pixelation}."
    assert content.lines == style.lines
    yield f"(circles: style {style.circles}, content {content.circles}; lines {style.lines} each)"
    yield f"its style term alone gives {quick['style'].noise}; in VGG-19 it gives {style.noise}."


@pytest.fixture(scope="module")
def sentences(table, base, both, varied):
    return {
        LECTURE: list(lecture_sentences(base, both, varied)),
        APPENDIX: list(appendix_sentences(table, base, both, varied)),
    }


@pytest.mark.parametrize("name", [LECTURE, APPENDIX])
def test_sentences_give_the_tables_numbers(sentences, name):
    text = prose(name)
    assert [sentence for sentence in sentences[name] if sentence not in text] == []


FREE = {  # numbers that quote no result: definitions, examples, and a run whose table isn't kept
    LECTURE: ["one loss is halved (−50 %) and another doubled (+100 %)", "per cents is +25 %",
              "holds 95 % of these", "with its 95 % interval"],
    APPENDIX: ["The range between the dashed lines is a **95 % interval**", "with probability 95 %",
               "cut off 2.5 % of", "a false alarm in 5 % of the worlds", "with 80 % power",
               "Suppose the true change is +10 %.",
               "with both 95 % intervals"],
}  # fmt: skip
UNRECORDED = "25 steps bring"  # this paragraph says itself that its run isn't among the tables


@pytest.mark.parametrize("name", [LECTURE, APPENDIX])
def test_no_number_in_the_text_goes_untested(sentences, name):
    text = prose(name)
    tested = [*FREE[name], *sentences[name]]
    if name == APPENDIX:
        tested += [*map(variant_passage, VARIANTS), passage(name, UNRECORDED)]
    assert [phrase for phrase in tested if phrase not in text] == []
    places = spans(text, tested)
    for _, start, stop, *_ in (claim for claim in CLAIMS if claim[0] == name):
        first = text.index(start)
        quotes = QUOTE.finditer(passage(name, start, stop))
        places += [(first + quote.start(), first + quote.end()) for quote in quotes]
    for start, end in places:
        text = text[:start] + "…" * (end - start) + text[end:]
    assert NUMBER.findall(text) == []


def spans(text, parts):
    """Where each part is in the text; parts may overlap."""
    return [match.span() for part in parts for match in re.finditer(re.escape(part), text)]


def test_verdicts_that_the_text_gives_in_words_are_the_tables(base, both):
    dream, style = (base["end_raw"].loc[of, "verdict"] for of in (DREAM, STYLE))
    assert "for four of the five marks, and for noise" in prose(LECTURE)
    assert (dream[MARKS] == "as claimed").sum() == 4
    assert set(dream.index[dream == "as claimed"]) - set(MARKS) == {"noise"}
    assert (
        "**Open** are JPEG and pixelation (style, raw), and swirl, colour patches and JPEG (dream)."
        in prose(LECTURE)
    )
    assert set(style.index[style == "open"]) == {"jpeg", "pixelation"}
    assert set(dream.index[dream == "open"]) == {"swirl", "colour_patches", "jpeg"}
    assert "at the end of the run there isn't one distortion for which both halves hold" in prose(
        LECTURE
    )
    for measure in ("end_raw", "end_relative"):
        one, other = (base[measure].loc[of, "verdict"] == "as claimed" for of in (STYLE, DREAM))
        assert not (one & other).any()
    assert "lower again by the relative loss" in prose(LECTURE)
    assert (base["end_relative"].loc[STYLE, "verdict"][MARKS] == "opposite").all()
    start = [base["start_raw"].loc[of, "verdict"] == "as claimed" for of in (STYLE, DREAM)]
    assert "*both* halves of the claim for noise, low contrast, blur and lines." in prose(APPENDIX)
    kinds = start[0].index[start[0] & start[1]]
    assert set(kinds) == {"noise", "low_contrast", "blur", "lines"}
    assert f"(At the start there are {WORDS[len(kinds)]}, by the raw measures;" in prose(LECTURE)
    differ = both[1.0].loc[~both[1.0]["same_verdict"], ["measure", "kind"]].to_numpy().tolist()
    assert "The exceptions are blur and pixelation, raw." in prose(LECTURE)
    assert differ == [["end_raw", "blur"], ["end_raw", "pixelation"]]
    for kind in (*MARKS, "noise", "swirl"):
        assert changes(both[1.0], kind)[1] == ["opposite", "opposite"], kind
    assert changes(both[1.0], "low_contrast")[1] == ["as claimed", "as claimed"]
    assert changes(both[1.0], "jpeg")[1] == ["open", "open"]


def test_dreams_of_both_networks_agree_where_the_appendix_says(base):
    large, quick = (
        base["end_raw"].loc[("dream", name, 1.0)] for name in ("inception_v3", "squeezenet")
    )
    same = (large["verdict"] == quick["verdict"]) & (large["verdict"] == "as claimed")
    assert set(same.index[same]) == {"lines", "shapes", "mixed", "noise"}
    assert "For lines, shapes, mixed and noise, the dreams agree." in prose(APPENDIX)


def test_a_clear_photos_style_term_falls_to_a_thirteenth(table):
    rows = table[(table["variant"] == "base") & (table["network"] == "vgg19")]
    clear = rows[(rows["kind"] == "clear") & (rows["origin"] == "photo")]
    assert round(np.exp(np.log(clear["style_start"] / clear["style_end"]).mean())) == 13
    assert "to about a thirteenth with VGG-19" in prose(APPENDIX)


def test_pictures_differ_by_the_factor_that_the_appendix_gives(table):
    model = mixed_model(table, "end_raw", "style", "vgg19").set_index("kind")
    assert f"a factor of about {np.exp(model.loc['pictures', 'estimate']):.2f}," in prose(APPENDIX)


VARIANTS = ("base", "second style", "raw descent", "noise start", "style distorted")


def variant_passage(variant):
    text = passage(APPENDIX, f"- **{variant.capitalize()}:**")
    return text.split(" - **")[0] if not text.startswith(" - **") else text


def test_the_appendixs_numbers_for_the_variants_follow_from_the_table(varied, design):
    assert {"base", *design.variants} == set(VARIANTS)
    for measure, part in (("end_raw", 0), ("end_relative", 1)):
        found = varied["vgg19", measure]
        for variant in VARIANTS:
            text = variant_passage(variant).split("Relative,")[part]
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


def test_lines_and_mixed_never_raise_the_loss_where_the_photo_is_distorted(varied):
    for measure in ("end_raw", "end_relative"):
        for variant in VARIANTS[:-1]:
            rows = varied["vgg19", measure].loc[variant]
            assert (rows.loc[["lines", "mixed"], "effect"] < 0).all()
    assert "Where the photo is distorted, lines and mixed never raise the loss." in prose(APPENDIX)
    assert "Lines and mixed never raise the loss." in prose(LECTURE)


def test_the_vggs_contradict_each_other_in_one_variant(varied):
    for measure, expected in (("end_raw", [("base", "blur")]), ("end_relative", [])):
        first, second = (varied[network, measure]["verdict"] for network in ("vgg16", "vgg19"))
        second = second.reindex(first.index)
        contradicted = (first != second) & (first != "open") & (second != "open")
        assert list(first.index[contradicted]) == expected

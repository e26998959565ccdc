"""The clear-or-distorted study: its design is complete, and any way to run it gives one table."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dreamkit.errors import SettingsError, WeightsError
from dreamkit.recipes import deep_dream, style_transfer
from dreamkit.runs.run import Run
from dreamkit.study import cells as cells_module
from dreamkit.study import design as designs
from dreamkit.study import run as study
from dreamkit.study.cells import COLUMNS, Cell, pictures, run_cell, square
from dreamkit.study.design import Design, design
from dreamkit.study.distortions import clutter, distort
from dreamkit.study.effects import PAIR, as_claimed
from dreamkit.study.run import StudyError, run_study, study_folder

ROOT = Path(__file__).parents[2]
TINY = Design(
    "tiny",
    ("chelsea", "scene-0.40"),
    kinds=("blur", "lines", "mixed"),
    size=48,
    steps=2,
    dream_steps=1,
)
ALL = replace(
    TINY, severities=(0.5, 1.0), variants=tuple(designs.VARIANTS), variant_pictures=("chelsea",)
)


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The tiny study, run in one process: its folder's parent and its table."""
    out = tmp_path_factory.mktemp("serial")
    return out, run_study(TINY, out, progress=False)


def assert_same(table, reference, rtol=0.0):
    """Equal except for `seconds`; more threads round differently, hence `rtol`."""
    one, other = (t.drop(columns="seconds") for t in (table, reference))
    pd.testing.assert_frame_equal(one, other, rtol=rtol, atol=0, check_exact=not rtol)


def saved(folder):
    return sorted((folder / "cells").glob("*.parquet"))


# The design


@pytest.mark.parametrize("chosen", [TINY, ALL, *designs.PRESETS.values()])
def test_every_distorted_cell_has_its_clear_one(chosen):
    cells = designs.cells(chosen)
    rows = pd.DataFrame([{k: getattr(c, k) for k in (*PAIR, "kind", "severity")} for c in cells])
    clear = rows[rows["kind"] == "clear"]
    assert not clear.duplicated(PAIR).any()
    distorted = rows[rows["kind"] != "clear"]
    assert len(distorted.merge(clear, on=PAIR)) == len(distorted) > 0
    assert (clear["severity"] == 0).all()
    assert (distorted["severity"] > 0).all()


def test_no_cell_is_run_twice_and_names_differ_wherever_results_do():
    names = [cell.digest for cell in designs.cells(ALL)]
    assert len(set(names)) == len(names)
    cell = designs.cells(TINY)[1]
    for change in dict(size=49), dict(steps=3), dict(seed=1), dict(kind="noise"), dict(octaves=2):
        assert replace(cell, **change).digest != cell.digest


def test_a_variant_differs_from_the_base_in_one_factor():
    chosen = {}
    for cell in designs.cells(ALL):
        if (cell.recipe, cell.picture, cell.kind, cell.severity) == ("style", "chelsea", "blur", 1):
            chosen[cell.variant] = cell
    assert set(chosen) == {"base", *designs.VARIANTS}
    for variant, field in {
        "second style": "style",
        "raw descent": None,
        "noise start": "seed",
        "style distorted": "role",
    }.items():
        one, base = (vars(chosen[name]) for name in (variant, "base"))
        differing = {name for name in Cell.__dataclass_fields__ if one[name] != base[name]}
        assert differing == {"variant", field} - {None}


def test_networks_without_weights_are_left_out_and_listed(bare, capsys):
    chosen = design("full")
    assert chosen.style_networks == chosen.dream_networks == ("squeezenet",)
    assert chosen.variant_network == "squeezenet"
    assert "left out: vgg19, vgg16, inception_v3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "style", "dream"),
    [
        ([], ["squeezenet"], ["squeezenet"]),
        (["vgg16", "inception_v3"], ["squeezenet", "vgg16"], ["squeezenet", "inception_v3"]),
        (["vgg16", "vgg19"], ["squeezenet", "vgg19"], ["squeezenet"]),
    ],
)
def test_the_full_study_takes_the_best_networks_available(
    bare, monkeypatch, tmp_path, files, style, dream
):
    for name in files:
        (tmp_path / f"{name}.weights.h5").touch()
    monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
    chosen = design("full", quiet=True)
    assert list(chosen.style_networks) == style
    assert list(chosen.dream_networks) == dream
    assert chosen.variant_network == style[-1]


def test_the_full_design_has_the_promised_pictures_and_kinds():
    full = designs.PRESETS["full"]
    assert len(full.pictures) >= 12
    assert len(full.kinds) == 11
    assert set(full.variant_pictures) <= set(full.pictures)


def test_every_part_of_the_full_study_could_reach_a_verdict():
    """With m tests on n pairs, the smallest p after Holm's correction is m · 2 / 2ⁿ."""
    units, kinds = {}, {}
    for cell in designs.cells(designs.PRESETS["full"]):
        part = cell.recipe, cell.variant, cell.network
        units.setdefault(part, set()).add(cell.style if cell.role == "style" else cell.picture)
        kinds.setdefault(part, set()).add((cell.kind, cell.severity))
    assert all(2 * (len(kinds[part]) - 1) / 2 ** len(units[part]) < 0.05 for part in units)


def test_a_wrong_kind_is_refused_when_the_design_is_made():
    with pytest.raises(SettingsError, match=r"'blurred': choose 'blur'"):
        Design("wrong", ("chelsea",), kinds=("blurred",))
    with pytest.raises(SettingsError, match="variant"):
        Design("wrong", ("chelsea",), variants=("upside down",))


# Pictures of a cell


@pytest.mark.parametrize("name", ["chelsea", "camera", "scene-0.20", "china"])
def test_pictures_are_squares_of_one_size(name):
    picture = square(name, 40)
    assert picture.shape == (40, 40, 3)
    assert 0 <= picture.min() <= picture.max() <= 1


def test_the_role_says_which_picture_is_distorted():
    content, style = square("chelsea", 48), square("night_flow", 48)
    cell = next(c for c in designs.cells(TINY) if c.kind == "lines")
    treated = pictures(cell)
    np.testing.assert_array_equal(treated[0], distort(content, "lines", 1.0, seed=0))
    np.testing.assert_array_equal(treated[1], style)
    treated = pictures(replace(cell, role="style"))
    np.testing.assert_array_equal(treated[0], content)
    np.testing.assert_array_equal(treated[1], distort(style, "lines", 1.0, seed=0))


# Measures of the start and the end


def numpy_losses(picture, content, style, network):
    """Raw and relative style loss by their formulas, float64, from the network's features."""
    own = network.architecture
    paper = (cells_module.PAPER_LAYERS.get(network.name, own.content_layers[0]),)
    layers = dict.fromkeys((*own.content_layers, *own.style_layers, *paper))
    f, p, a = (
        {k: np.asarray(v, float)[0] for k, v in network.features(image, tuple(layers)).items()}
        for image in (picture, content, style)
    )

    def gram(x):
        flat = x.reshape(-1, x.shape[-1])
        return flat.T @ flat / len(flat)

    sums = [((f[n] - p[n]) ** 2, p[n] ** 2) for n in own.content_layers]
    apart = [((f[n] - p[n]) ** 2).mean() for n in paper]
    grams = [((gram(f[n]) - gram(a[n])) ** 2, gram(a[n]) ** 2) for n in own.style_layers]
    content_loss, style_loss = (
        np.mean([s.sum() / e.sum() for s, e in pairs]) for pairs in (sums, grams)
    )
    raw = 1e4 * np.mean(apart) + 1e-2 * np.mean([s.mean() for s, _ in grams])
    return raw, content_loss, style_loss


def test_style_losses_match_numpy(squeezenet):
    cell = next(c for c in designs.cells(TINY) if c.kind == "mixed")
    row, (content, style) = run_cell(cell), pictures(cell)
    raw, content_loss, style_loss = numpy_losses(content, content, style, squeezenet)
    assert content_loss == 0
    assert row["start_raw"] == pytest.approx(raw, rel=1e-4)
    assert row["style_start"] == pytest.approx(style_loss, rel=1e-4)
    assert row["start_relative"] == pytest.approx(40 * style_loss, rel=1e-4)
    options = dict(octaves=1, quality="gatys", precision="float32", progress=False)
    end = style_transfer(content, style, squeezenet, 2, 0, **options).image
    raw, content_loss, style_loss = numpy_losses(end, content, style, squeezenet)
    assert row["end_raw"] == pytest.approx(raw, rel=1e-3)
    assert row["content_end"] == pytest.approx(content_loss, rel=1e-3)
    assert row["style_end"] == pytest.approx(style_loss, rel=1e-3)
    assert row["end_relative"] == pytest.approx(content_loss + 40 * style_loss, rel=1e-3)
    expected = clutter(content)
    assert {name: row[name] for name in expected} == expected


def test_vggs_raw_loss_uses_the_papers_content_layer(vgg19, picture):
    shown, content, style = (picture(48, 48, seed=seed) for seed in range(3))
    (measured,) = cells_module.losses([shown], content, style, vgg19)
    raw, content_loss, style_loss = numpy_losses(shown, content, style, vgg19)
    assert measured["raw"] == pytest.approx(raw, rel=1e-4)
    assert measured["content"] == pytest.approx(content_loss, rel=1e-4)
    assert measured["style"] == pytest.approx(style_loss, rel=1e-4)
    assert cells_module.PAPER_LAYERS["vgg19"] not in vgg19.architecture.content_layers


def test_dream_scores_are_the_sum_of_mean_activations(squeezenet):
    cell = next(c for c in designs.cells(TINY) if c.recipe == "dream" and c.kind == "blur")
    row, (content, _) = run_cell(cell), pictures(cell)
    end = deep_dream(content, squeezenet, None, 2, 1, 0, precision="float32", progress=False).image

    def score(picture):
        features = squeezenet.features(picture, ("fire6", "fire8"))
        return sum(np.asarray(f, float).mean() for f in features.values())

    assert row["start_raw"] == pytest.approx(score(content), rel=1e-5)
    assert row["end_raw"] == pytest.approx(score(end), rel=1e-3)
    assert row["end_raw"] > row["start_raw"]
    assert row["start_relative"] == 1
    assert row["end_relative"] == pytest.approx(row["end_raw"] / row["start_raw"])
    assert np.isnan([row["content_end"], row["style_start"], row["style_end"]]).all()


def test_a_raw_descent_lowers_the_raw_loss_and_noise_starts_elsewhere():
    rows = {
        cell.variant: run_cell(replace(cell, steps=4))
        for cell in designs.cells(ALL)
        if (cell.recipe, cell.picture, cell.kind) == ("style", "chelsea", "clear")
    }
    assert rows["raw descent"]["end_raw"] < rows["base"]["end_raw"]
    assert rows["base"]["end_relative"] < rows["raw descent"]["end_relative"]
    assert rows["raw descent"]["start_raw"] == rows["base"]["start_raw"]
    assert rows["noise start"]["start_raw"] != rows["base"]["start_raw"]
    assert rows["second style"]["style"] == "mosaic"


def test_half_a_run_is_not_a_result():
    with pytest.raises(KeyboardInterrupt):
        cells_module.finished(Run(np.zeros((1, 1, 3)), pd.DataFrame(), stopped="interrupted"))


# The table


def test_the_table_has_a_row_for_each_cell_in_their_order(serial):
    out, table = serial
    assert list(table.columns) == list(COLUMNS)
    assert list(table["cell"]) == [cell.digest for cell in designs.cells(TINY)]
    assert set(table["origin"]) == {"photo", "scene"}
    folder = study_folder(TINY, out)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "results.parquet"), table)
    noted = json.loads((folder / "design.json").read_text())
    assert noted["cells"] == len(table)
    assert noted["digest"] == TINY.digest
    assert noted["versions"]["tensorflow"]
    assert not list(folder.rglob(".*"))


def test_a_finished_study_returns_at_once_and_without_tensorflow(serial):
    out, table = serial
    script = f"""
import sys, time
from dreamkit.study import Design, run_study
started = time.process_time()
table = run_study({TINY!r}, {str(out)!r})
assert len(table) == {len(table)}
assert time.process_time() - started < 3
assert "tensorflow" not in sys.modules, "TensorFlow was imported"
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)


def test_a_stopped_study_continues_where_it_was(serial, tmp_path, monkeypatch):
    ran = []

    def stopped_at_the_sixth(cell):
        if len(ran) == 5:
            raise KeyboardInterrupt
        ran.append(cell)
        return run_cell(cell)

    monkeypatch.setattr(study, "run_cell", stopped_at_the_sixth)
    with pytest.raises(
        KeyboardInterrupt, match=r"5 of 16 cells are saved in .*; run it again to continue"
    ):
        run_study(TINY, tmp_path, progress=False)
    assert len(saved(study_folder(TINY, tmp_path))) == 5

    again = []
    monkeypatch.setattr(study, "run_cell", lambda cell: again.append(cell) or run_cell(cell))
    assert_same(run_study(TINY, tmp_path, progress=False), serial[1])
    assert not set(ran) & set(again)


def test_only_damaged_cells_are_run_again(serial, tmp_path, monkeypatch):
    shutil.copytree(serial[0], tmp_path, dirs_exist_ok=True)
    folder = study_folder(TINY, tmp_path)
    first, second, third, *rest = saved(folder)
    first.write_bytes(first.read_bytes()[:100])
    second.write_bytes(b"")
    third.write_bytes(rest[0].read_bytes())  # intact, but of another cell
    (folder / "results.parquet").write_bytes(b"PAR1")
    ran = []
    monkeypatch.setattr(study, "run_cell", lambda cell: ran.append(cell) or run_cell(cell))
    assert_same(run_study(TINY, tmp_path, progress=False), serial[1])
    assert {cell.digest for cell in ran} == {path.stem for path in (first, second, third)}


@pytest.mark.parametrize("lasting", [True, False])
def test_results_that_were_changed_are_never_returned(serial, tmp_path, monkeypatch, lasting):
    """Whether or not the one who changes a table keeps the digest that is stored in it."""
    shutil.copytree(serial[0], tmp_path, dirs_exist_ok=True)
    folder = study_folder(TINY, tmp_path)
    cell = saved(folder)[4]
    for file in (folder / "results.parquet", cell):
        table = pd.read_parquet(file)
        table["end_raw"] *= 2
        table.attrs = table.attrs if lasting else {}
        table.to_parquet(file, index=False)
    ran = []
    monkeypatch.setattr(study, "run_cell", lambda cell: ran.append(cell) or run_cell(cell))
    assert_same(run_study(TINY, tmp_path, progress=False), serial[1])
    assert [cell.digest for cell in ran] == [cell.stem]


def test_a_changed_number_anywhere_changes_the_digest(serial):
    table, rng = serial[1], np.random.default_rng(1)
    for column in rng.permutation(table.columns)[:8]:
        changed, row = table.copy(), rng.integers(len(table))
        value = changed.loc[row, column]
        changed.loc[row, column] = f"{value}." if isinstance(value, str) else value + 1
        if pd.notna(value):
            assert study.content_digest(changed) != study.content_digest(table), column


def test_changed_results_are_reported_in_one_line(serial, tmp_path, capsys):
    shutil.copytree(serial[0], tmp_path, dirs_exist_ok=True)
    (study_folder(TINY, tmp_path) / "results.parquet").write_bytes(b"PAR1")
    run_study(TINY, tmp_path, progress=False)
    assert "1 saved tables in" in capsys.readouterr().out
    run_study(TINY, tmp_path, progress=False)
    assert capsys.readouterr().out == ""


def test_a_study_is_not_continued_with_other_weights(serial, tmp_path, monkeypatch):
    shutil.copytree(serial[0], tmp_path, dirs_exist_ok=True)
    folder = study_folder(TINY, tmp_path)
    assert len(json.loads((folder / "design.json").read_text())["weights"]["squeezenet"]) == 64
    monkeypatch.setattr(study, "hash_file", lambda *_: "0" * 64)
    assert_same(run_study(TINY, tmp_path, progress=False), serial[1])  # finished as it is
    saved(folder)[0].unlink()
    (folder / "results.parquet").unlink()
    with pytest.raises(SettingsError, match="started with other weights of squeezenet"):
        run_study(TINY, tmp_path, progress=False)


def test_another_design_has_another_folder():
    folders = {study_folder(replace(TINY, steps=steps), "out") for steps in (2, 3)}
    assert len(folders) == 2


def test_failed_cells_are_named_and_the_rest_is_saved(serial, tmp_path, monkeypatch):
    def fails_at_blur(cell):
        if cell.kind == "blur" and cell.recipe == "dream":
            raise WeightsError("No weights today: come back tomorrow.")
        return run_cell(cell)

    monkeypatch.setattr(study, "run_cell", fails_at_blur)
    message = r"2 of 16 cells failed: dream \(base\), squeezenet, chelsea, blur 1: No weights today"
    with pytest.raises(StudyError, match=message) as failure:
        run_study(TINY, tmp_path, progress=False)
    assert len(failure.value.table) == 14
    assert {cell.kind for cell in failure.value.failed} == {"blur"}
    monkeypatch.undo()
    assert_same(run_study(TINY, tmp_path, progress=False), serial[1])


def test_the_count_of_pairs_is_that_of_a_plain_loop(serial):
    table = serial[1]
    counted = as_claimed(table)
    for (measure, recipe, network), column in counted.items():
        rows = table[(table["recipe"] == recipe) & (table["network"] == network)]
        clear = rows[rows["kind"] == "clear"].set_index("picture")[measure]
        for kind, text in column.items():
            values = rows[rows["kind"] == kind].set_index("picture")[measure]
            signs = np.sign(values - clear) * (1 if recipe == "style" else -1)
            assert text == f"{(signs > 0).sum()} of {len(signs)}"


# Many workers


@pytest.mark.slow  # the jobs' own tests cover processes
def test_two_workers_make_the_serial_table(serial, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    table = run_study(TINY, tmp_path, workers=2, progress=False)
    assert_same(table, serial[1], rtol=1e-3)


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler's address and its two workers, all separate processes on loopback."""
    pytest.importorskip("distributed")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_NUM_INTRAOP_THREADS": "1"}
    address, processes = tmp_path / "scheduler.json", []

    def start(kind, *options):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options]
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        processes.append(subprocess.Popen(command, env=environment, cwd=tmp_path, **quiet))
        return processes[-1]

    shared = ("--scheduler-file", str(address), "--no-dashboard", "--host", "127.0.0.1")
    start("scheduler", *shared, "--port", "0")
    workers = [start("worker", *shared, "--nthreads", "1", "--no-nanny") for _ in range(2)]
    until(address.is_file, 120)
    yield json.loads(address.read_text())["address"], workers
    for process in processes:
        process.kill()
        process.wait()


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_a_cluster_that_loses_a_worker_makes_the_serial_table(serial, cluster, tmp_path):
    address, workers = cluster
    folder, killed = study_folder(TINY, tmp_path), []

    def kill_one():
        until(lambda: len(saved(folder)) >= 3, 120)
        os.kill(workers[0].pid, signal.SIGKILL)
        workers[0].wait()
        killed.append(len(saved(folder)))

    killer = threading.Thread(target=kill_one)
    killer.start()
    table = run_study(TINY, tmp_path, scheduler=address, progress=False)
    killer.join()
    assert 3 <= killed[0] < len(table)
    assert workers[1].poll() is None
    assert_same(table, serial[1], rtol=1e-3)


# The command


@pytest.fixture
def command(command, monkeypatch):
    """Function (*arguments) → exit code, stdout and stderr of `python -m dreamkit study …`."""
    monkeypatch.setenv("DREAMKIT_PROFILE", "quick")
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    one = replace(TINY, name="quick", pictures=("chelsea",))
    monkeypatch.setitem(designs.PRESETS, "quick", one)
    return functools.partial(command, "study")


def test_the_command_prints_the_counts_and_the_tables_path(command, tmp_path):
    code, out, _ = command("--workers", 1)
    assert code == 0
    assert " of 1" in out
    path = Path(out.splitlines()[-1])
    assert pd.read_parquet(tmp_path / path)["picture"].unique() == ["chelsea"]
    assert path.parts[:2] == ("outputs", "study")


def test_an_unknown_preset_is_one_line_and_exit_code_2(command):
    code, _, err = command("--preset", "huge")
    assert code == 2
    assert err.count("\n") == 1
    assert "quick" in err
    assert "full" in err
    with pytest.raises(SettingsError, match="preset"):
        run_study("huge")


def test_a_failed_cell_is_one_line_and_exit_code_1(command, monkeypatch):
    lost = replace(TINY, name="quick", pictures=("chelsea", "nowhere"))
    monkeypatch.setitem(designs.PRESETS, "quick", lost)
    code, _, err = command("--workers", 1)
    assert code == 1
    assert err.splitlines()[-1].startswith("dreamkit: 8 of 16 cells failed: style (base), squee")
    assert "'nowhere' was not found" in err


def test_a_stopped_command_says_in_one_line_how_to_continue(command, monkeypatch):
    def stop(cell):
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "run_cell", stop)
    code, _, err = command("--workers", 1)
    assert code == 130
    assert err.splitlines()[-1].startswith("dreamkit: stopped: 0 of 8 cells are saved in outputs")

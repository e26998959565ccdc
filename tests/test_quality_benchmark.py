"""The benchmark of quality: its judges are right, its table is whole, and it can be stopped."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, wasserstein_distance
from sklearn.metrics import roc_auc_score

from benchmarks.quality import __main__ as program
from benchmarks.quality import cells, judges, methods, neighbours, ours, peers, report, walks
from benchmarks.quality.pairs import COUNT, PAINTINGS, PHOTOS, TRIED, name_of, pair
from dreamkit import Content, Style, samples
from dreamkit.controls.quality import QUALITIES, choice
from dreamkit.startup import tf

HELD_OUT = judges.HELD_OUT  # before a fixture changes it


def cloud(seed, count=300, channels=4):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, channels)) @ rng.normal(size=(channels, channels)) + seed


# Pairs


def test_the_24_pairs_are_different_and_free_to_use():
    names = [pair(number, 16).name[3:] for number in range(COUNT)]
    assert len(set(names)) == COUNT
    free = ("CC0", "CC BY", "public domain")
    assert all(samples()[name].licence.startswith(free) for name in (*PHOTOS, *PAINTINGS))


# Judges


def test_sliced_wasserstein_is_that_of_scipy_along_each_direction():
    x, a = cloud(0), cloud(1)
    directions = np.random.default_rng(1).normal(size=(4, judges.DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    apart = [wasserstein_distance(x @ d, a @ d) for d in directions.T]
    found = judges.sliced_wasserstein(x, a)
    assert found >= np.mean(np.square(apart)) * 0.98  # the 2-distance is at least the 1-distance
    shifted = judges.sliced_wasserstein(x, x + np.array([2, 0, 0, 0]))  # here the two are equal
    assert shifted == pytest.approx(np.mean((2 * directions[0]) ** 2), rel=1e-9)


def test_gaussian_divergence_is_the_mean_log_ratio_of_densities_both_ways(monkeypatch):
    monkeypatch.setattr(judges, "RIDGE", 0)
    x, a = cloud(0), cloud(1)
    one, other = (multivariate_normal(c.mean(0), np.cov(c.T)) for c in (x, a))
    rng = np.random.default_rng(0)
    samples_of = lambda g: g.rvs(400_000, random_state=rng)  # noqa: E731
    u, v = samples_of(one), samples_of(other)
    expected = (one.logpdf(u) - other.logpdf(u)).mean() + (other.logpdf(v) - one.logpdf(v)).mean()
    assert judges.gaussian_divergence(x, a) == pytest.approx(expected, rel=0.01)


def test_self_similarity_is_strotss_equation_by_loops():
    x, p = np.abs(cloud(0, 12)), np.abs(cloud(1, 12))

    def distances(cloud):
        d = np.array(
            [[1 - u @ v / np.linalg.norm(u) / np.linalg.norm(v) for v in cloud] for u in cloud]
        )
        return d / d.sum(0)

    expected = np.abs(distances(x) - distances(p)).sum() / 12
    assert judges.self_similarity(x, p) == pytest.approx(expected, rel=1e-9)


def test_contours_are_two_minus_two_auc_of_scikit_learn():
    photo, picture = pair(0, 96).photo, pair(1, 96).photo[:96, :96]
    picture = np.resize(picture, photo.shape)
    grey = photo @ [0.2126, 0.7152, 0.0722]
    on = judges.binary_dilation(judges.canny(grey, sigma=2))
    edges = judges.sobel(picture @ [0.2126, 0.7152, 0.0722])
    auc = roc_auc_score(on.ravel(), edges.ravel())
    assert judges.contours(picture, photo) == pytest.approx(2 - 2 * auc, rel=1e-6)


@pytest.fixture(scope="module")
def small_jury():
    here = pair(0, 96)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judges, "HELD_OUT", {"squeezenet": ("fire3", "fire5")})
        yield here, judges.Jury(here)


def test_a_painting_has_all_of_its_style_and_a_photo_all_of_its_content(small_jury):
    here, jury = small_jury
    painting, photo = jury(here.painting), jury(here.photo)
    assert painting["style"] == pytest.approx(0, abs=1e-12)
    assert photo["style"] == pytest.approx(1)
    assert photo["self_similarity squeezenet"] == pytest.approx(0, abs=1e-12)
    assert photo["contours"] < 0.5


def test_noise_costs_style_and_content(small_jury):
    here, jury = small_jury
    rng = np.random.default_rng(0)
    noisy = lambda x, s: np.clip(x + rng.normal(0, s, x.shape), 0, 1).astype("float32")  # noqa: E731
    style = [jury(noisy(here.painting, s))["style"] for s in (0.02, 0.1, 0.3)]
    content = [jury(noisy(here.photo, s))["content"] for s in (0.02, 0.1, 0.3)]
    assert style == sorted(style)
    assert content == sorted(content)


def test_no_method_uses_a_judges_layer(vgg19):
    used = {*peers.STYLE, *neighbours.LAYERS, peers.CONTENT, peers.tutorial_style.CONTENT}
    used |= {*vgg19.architecture.style_layers, *vgg19.architecture.content_layers}
    for quality in QUALITIES:
        used |= {*(choice(quality, vgg19).content_layers or ())}
    for layers in ("style_layers", "content_layers"):
        used |= {*peers.pastiche_lbfgs.OBJECTIVE[layers]}
    assert used <= {layer.name for layer in vgg19.model.layers}
    assert not used & set(HELD_OUT["vgg19"])


# Methods


def test_seconds_are_the_quickest_step_times_all_whatever_else_the_machine_does():
    laps = {"small": [9.0, 1.0, 1.5, 1.2], "large": [20.0, 4.0, 9.0]}
    assert methods.seconds(laps) == 4 * 1.0 + 3 * 4.0


def test_sizes_grow_by_root_two_to_the_full_one():
    assert walks.sizes_by_root_two((192, 256)) == [(96, 128), (136, 181), (192, 256)]
    assert walks.sizes_by_root_two((80, 96)) == [(80, 96)]


def test_adams_moments_and_average_are_those_of_keras():
    from dreamkit.startup import keras

    start = np.random.default_rng(0).random((4, 5, 3), "float32") / 2 + 0.25
    gradient = lambda x: 2 * (x - 0.5) + 0.1 * tf.sin(9 * x)  # noqa: E731
    state, variable = walks.State(start), keras.Variable(start)
    state.walk(gradient, 5, walks.Adam(0.01, 0.9, 0.99, 0.5))
    theirs, mean, share = keras.optimizers.Adam(0.01, 0.9, 0.99, epsilon=1e-10), 0.0, 1.0
    for _ in range(5):
        theirs.apply([gradient(variable.value)], [variable])
        mean, share = 0.5 * mean + 0.5 * np.asarray(variable), 0.5 * share
    np.testing.assert_allclose(state.picture, variable, rtol=1e-4)
    np.testing.assert_allclose(state.image, mean / (1 - share), rtol=1e-4)


def test_replicated_padding_changes_only_the_edge(vgg19, picture):
    x = tf.constant(picture(48, 48)[None])
    plain, padded = (
        network.raw_features(x, ("block1_conv1", "block2_conv1"))
        for network in (vgg19, walks.replicated(vgg19))
    )
    for layer, edge in {"block1_conv1": 1, "block2_conv1": 3}.items():
        inside = np.s_[:, edge:-edge, edge:-edge]
        np.testing.assert_allclose(
            padded[layer][inside], plain[layer][inside], rtol=1e-3, atol=1e-2
        )
        assert np.abs(padded[layer] - plain[layer]).max() > 0.1
    flat = walks.replicated(vgg19).raw_features(tf.fill((1, 16, 16, 3), 0.3), ("block1_conv1",))
    assert np.ptp(flat["block1_conv1"], axis=(1, 2)).max() < 1e-3


def test_nine_points_differences_are_those_of_numpy(picture):
    x = picture(9, 7).astype("float64")
    straight = np.sum(np.diff(x, axis=0) ** 2) + np.sum(np.diff(x, axis=1) ** 2)
    diagonal = np.sum((x[1:, 1:] - x[:-1, :-1]) ** 2) + np.sum((x[1:, :-1] - x[:-1, 1:]) ** 2)
    expected = 2 * (straight / 3 + diagonal / 12) / x.size
    assert float(peers.NinePoints()(x.astype("float32"))[0]) == pytest.approx(expected, rel=1e-5)


def test_a_paintings_own_columns_are_their_nearest_and_cost_nothing(vgg19, picture):
    painting = tf.constant(picture(48, 64))
    own = neighbours.columns(vgg19, painting)
    assert own.shape[0] == 12 * 16
    np.testing.assert_array_equal(neighbours.nearest(own, own), np.arange(12 * 16))
    assert float(neighbours.from_columns(vgg19, painting, own)) == pytest.approx(0, abs=1e-5)
    layers = [neighbours.thinned(f) for f in neighbours.maps(vgg19, painting)]
    assert float(neighbours.from_layers(vgg19, painting, layers)) == pytest.approx(0, abs=1e-4)
    assert float(neighbours.from_columns(vgg19, tf.reverse(painting, (1,)), own)) > 0.01


def test_a_layers_points_are_thinned_at_every_size(vgg19, picture):
    target = [neighbours.thinned(f) for f in neighbours.maps(vgg19, tf.constant(picture(48, 64)))]
    gradient = neighbours.gradient_function(vgg19, neighbours.from_layers)
    for sides in ((32, 32), (48, 32), (32, 48)):  # the third time, any size
        assert gradient(tf.constant(picture(*sides)), target).shape == (*sides, 3)


@pytest.fixture(scope="module")
def two_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(methods, "SHARE", [1e-9])
        yield


@pytest.mark.parametrize("name", [n for n in methods.METHODS if n != "pastiche, the program"])
def test_every_method_paints_a_picture_in_two_steps(name, vgg19, two_steps):
    here = pair(3, 64)
    picture, laps = methods.METHODS[name].paint(here, vgg19, 1.0)
    assert picture.shape == here.photo.shape
    assert np.isfinite(picture).all()
    assert np.abs(picture - here.photo).mean() > 1e-3
    assert {len(steps) for steps in laps.values()} <= {1, 2}


def test_the_check_of_the_precision_is_made_in_full_precision(monkeypatch):
    monkeypatch.setattr(ours, "transfer", lambda pair, network, **options: options)
    assert ours.exact(None, None, 1.0)["precision"] == "float32"
    assert "precision" not in ours.best(None, None, 1.0)
    assert ours.stronger(None, None, 1.0)["style_weight"] == 240


def test_the_tutorials_epsilon_is_nothing_next_to_its_gradients(squeezenet):
    here = pair(0, 64)
    objective = 1e4 * Content(here.photo, squeezenet, "fire5", "tutorial")
    objective += 1e-2 * Style(here.painting, squeezenet, ("fire2", "fire4"), "tutorial")
    near = here.photo + np.random.default_rng(0).normal(0, 0.02, here.photo.shape)
    gradient = objective.value_and_gradient(near.astype("float32")).gradient
    assert np.median(np.abs(gradient)) > 100 * 0.1


def test_what_is_painted_only_when_asked_for_is_left_out(monkeypatch):
    monkeypatch.setattr("sys.argv", ["quality"])
    assert "pastiche" in program.parse().only
    assert "pastiche, the program" not in program.parse().only


# The program


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A benchmark of one pair at 48 px, with two methods and one judge."""
    table = {}
    monkeypatch.setattr(methods, "METHODS", table)
    for module in (program, cells, report):
        monkeypatch.setattr(module, "METHODS", table)
    calls = []

    @methods.method("copy", "here", curve=(0.25, 0.5))
    def copy(pair, network, factor):
        calls.append(factor)
        return pair.photo, {"all": [1.0, 1.0]}

    @methods.method("absent", "nowhere")
    def absent(pair, network, factor):
        raise ModuleNotFoundError("No module named 'absent'")

    monkeypatch.setattr(judges, "HELD_OUT", {"squeezenet": ("fire3",)})
    monkeypatch.setattr(program, "PUBLISHED", tmp_path / "nothing.json")
    monkeypatch.setattr(program, "QUICK", dict(size=48, pairs=1, curves=1, share=1.0))
    monkeypatch.setattr(cells, "network", lambda: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["quality", "--quick", "--workers", "1"])
    return calls


def test_a_stopped_run_goes_on_where_it_was_and_reports_what_is_there(tiny, tmp_path, capsys):
    program.main()
    assert tiny == [1, 0.25, 0.5]
    assert "absent: skipped, No module named 'absent'" in capsys.readouterr().out
    folder = tmp_path / "outputs" / "quality" / "48px"
    files = sorted(folder.glob("*--*.json"))
    assert [json.loads(file.read_text())["factor"] for file in files] == [0.25, 0.5, 1]
    text = (folder / "results.md").read_text()
    assert text.startswith("# Quality of the pictures\n\n1 of 24 pairs, 1 methods")
    assert (folder / "results.png").stat().st_size > 5000
    results = json.loads((folder / "results.json").read_text())
    assert [cell["factor"] for cell in results["cells"]] == [0.25, 0.5, 1]
    assert results["versions"][0]["tensorflow"] == tf.__version__
    assert list(folder.glob("sheet-*.jpg"))
    drawn = (folder / "sheet-1.jpg").stat().st_mtime_ns
    files[0].unlink()
    program.main()
    assert tiny == [1, 0.25, 0.5, 0.25]
    assert (folder / "sheet-1.jpg").stat().st_mtime_ns == drawn  # it shows none of the curve


def test_no_picture_is_begun_when_the_time_is_over(tiny, monkeypatch):
    monkeypatch.setattr("sys.argv", ["quality", "--quick", "--workers", "1", "--hours", "-1"])
    program.main()
    assert tiny == []


def test_what_was_not_painted_here_is_taken_from_what_is_published(tiny, tmp_path):
    program.main()
    folder, published = tmp_path / "outputs" / "quality" / "48px", tmp_path / "results.json"
    (folder / "results.json").rename(published)
    next(folder.glob("*--0_25.json")).unlink()
    cells = report.table(folder, published)
    here = dict(zip(cells["factor"], cells["here"], strict=True))
    assert here == {0.25: False, 0.5: True, 1: True}
    assert len(report.table(tmp_path / "96px", published)) == 0  # of another size
    alone = tmp_path / "48px"
    report.write_report(alone, alone, published)
    text = (alone / "results.md").read_text()
    assert "3 of 3 pictures are the published ones" in text
    assert not list(alone.glob("sheet-*"))


def test_pairs_are_a_number_or_from_to():
    assert list(program.span("2")) == [0, 1]
    assert list(program.span("3:6")) == [3, 4, 5]
    assert list(program.span(str(COUNT))) == list(range(COUNT))


def test_paired_differences_are_taken_pair_by_pair(monkeypatch):
    monkeypatch.setattr(report, "METHODS", {"dreamkit": 0, "dreamkit, slow": 0, "other": 0})
    values = [(pair, 0.2 + n / 10, 0.5 + n / 10) for n, pair in enumerate("abcdef")]
    rows = [dict(pair=p, method="dreamkit", style=s, content=s) for p, s, _ in values]
    rows += [dict(pair=p, method="other", style=s, content=s) for p, _, s in values]
    rows += [dict(pair=p, method="dreamkit, slow", style=s + 0.1, content=s) for p, s, _ in values]
    text = report.differences(pd.DataFrame(rows))
    assert "| dreamkit | other | 6 | -0.300 (-0.300 to -0.300)" in text
    assert "| dreamkit | dreamkit, slow | 6 | -0.100 (-0.100 to -0.100)" in text
    few = report.differences(pd.DataFrame([row for row in rows if row["pair"] < "d"]))
    assert "| dreamkit | other | 3 | -0.300 | -0.300 |" in few
    table = pd.DataFrame(rows).rename(columns={"style": "colours"})
    text = report.judge_by_judge(table.drop(columns="content"))
    assert text.splitlines()[0] == "| dreamkit minus | other |"
    assert "| colours | -0.300 (-0.300 to -0.300) |" in text


def test_pairs_that_our_settings_were_chosen_on_are_no_evidence():
    names = [name_of(number) for number in range(COUNT)]
    cells = pd.DataFrame(dict(pair=names, style=0.0))
    assert list(report.judged(cells)["pair"]) == names[TRIED:]
    assert list(report.judged(cells[:2])["pair"]) == names[:2]  # a quick run has no others


def test_methods_are_compared_on_pairs_that_all_have_painted():
    rows = [dict(pair=p, method=m, style=0.0) for p in "ab" for m in ("one", "other")]
    cells = pd.DataFrame([*rows, dict(pair="c", method="one", style=9.0)])
    assert set(report.shared(cells)["pair"]) == {"a", "b"}
    assert len(report.shared(cells[cells["pair"] == "c"])) == 1
    begun = pd.concat([cells, pd.DataFrame([dict(pair="a", method="new", style=0.0)])])
    assert set(report.shared(begun)["pair"]) == {"a", "b"}
    assert set(report.shared(begun)["method"]) == {"one", "other"}


def test_a_curve_is_what_a_weight_changes_on_the_pairs_for_which_it_was_tried():
    tried = [("a", 1, 0.2), ("a", 4, 0.1), ("b", 1, 0.6)]
    rows = [dict(pair=p, factor=f, style=s, content=1 - s) for p, f, s in tried]
    found = report.curve(pd.DataFrame(rows))
    np.testing.assert_allclose(found.loc[4], [-0.1, 0.1])
    np.testing.assert_allclose(found.loc[1], 0)
    assert report.curve(pd.DataFrame(rows[1:])).empty


def test_what_was_cut_is_compared_with_the_whole(monkeypatch):
    names = ("other", "other, all steps")
    beside = {"other, all steps": ("other",)}
    table = {n: methods.Method(n, "", (), 1, beside.get(n, ()), None) for n in names}
    monkeypatch.setattr(report, "METHODS", table)
    rows = [dict(pair=p, method="other", style=0.5, content=0.4) for p in "abc"]
    rows += [dict(pair=p, method="other, all steps", style=0.4, content=0.5) for p in "abc"]
    text = report.checks(pd.DataFrame(rows))
    assert "| other, all steps | other | 3 | -0.100 | 0.100 |" in text
    assert report.checks(pd.DataFrame(rows[:3])) == "Not run."


def test_a_pair_is_a_photo_and_a_painting_of_its_size():
    here = pair(5, 64)
    assert max(here.photo.shape) == max(here.painting.shape) == 64


def test_the_pages_own_method_paints_a_picture(vgg19, two_steps, monkeypatch):
    monkeypatch.setattr(methods, "METHODS", table := {})
    page = (Path(__file__).parents[1] / "book" / "quality.md").read_text("utf-8")
    code = page.partition("```python\n")[2].partition("```")[0]
    assert code.count("\n") <= 20
    exec(code, {"__package__": "benchmarks.quality"})
    (added,) = table.values()
    picture, laps = added.paint(pair(3, 64), vgg19, 1.0)
    assert np.isfinite(picture).all()
    assert laps

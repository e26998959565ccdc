"""A video is painted and dreamt without flicker: the flow, the temporal term, the film."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import dreamkit as dk
from dreamkit.errors import ImageError, SettingsError
from dreamkit.film import painters
from dreamkit.film.flow import difference, optical_flow, warped
from dreamkit.film.painters import DreamFrames, StyleFrames
from dreamkit.film.reading import open_video
from dreamkit.film.reel import encode
from dreamkit.film.temporal import Temporal
from dreamkit.startup import tf

SIZE = 48, 64
QUICK = dict(profile="ci", seed=1, progress=False)


def clip(count=4, size=SIZE, grain=0.0):
    """A camera that pans over a photo by (1, 2) px a frame, while a ball moves by (-1, 3) px."""
    photo = dk.load_image("chelsea", 150)
    rows, columns = np.indices(size)
    rng = np.random.default_rng(0)
    for number in range(count):
        top, left = 20 + number, 30 + 2 * number
        frame = photo[top : top + size[0], left : left + size[1]].copy()
        distance = np.hypot(rows - 34 + number, columns - 14 - 3 * number)
        stripes = 0.3 + 0.5 * ((columns - 3 * number) // 3 % 2)
        frame[distance < 9] = np.stack([stripes, stripes / 3, stripes / 4], -1)[distance < 9]
        yield np.clip(frame + rng.normal(0, grain, frame.shape), 0, 1).astype("float32")


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "walk.mp4"
    encode(path, clip(), SIZE, 10)
    return path


# The flow


def test_the_flow_finds_how_the_camera_moves():
    before, now = clip(2)
    flow = optical_flow(before, now)
    background = flow.offsets[:, 4:18, 6:-6]
    assert np.median(background, (1, 2)) == pytest.approx([1, 2], abs=0.2)
    assert np.abs(flow.carry(before) - now)[4:18, 6:-6].mean() < 0.01


def test_the_flow_at_another_size_is_in_its_own_pixels():
    before, now = (dk.resize(frame, (384, 512)) for frame in clip(2))
    flow = optical_flow(before, now)
    assert flow.offsets.shape == (2, 384, 512)
    assert flow.reliable.shape == (384, 512, 1)
    assert np.median(flow.offsets[:, 32:144, 48:-48], (1, 2)) == pytest.approx([8, 16], abs=2)


def test_what_comes_into_view_is_not_reliable():
    before, now = clip(2)
    flow = optical_flow(before, now)
    reliable = flow.reliable[..., 0]
    assert reliable[4:18, 6:-6].mean() > 0.9
    wrong = np.abs(flow.carry(before) - now).mean(-1) > 0.15
    assert 20 < wrong.sum() < 300  # around the ball
    assert reliable[wrong].mean() < 0.15
    unrelated = optical_flow(before, dk.load_image("coffee", 150)[:48, :64])
    assert unrelated.reliable.mean() < 0.2


def test_warping_takes_each_pixel_from_its_offset():
    picture = np.random.default_rng(0).random((*SIZE, 3), "float32")
    offsets = np.broadcast_to(np.array([2.0, -3.0])[:, None, None], (2, *SIZE))
    expected = np.roll(picture, (-2, 3), (0, 1))
    assert np.allclose(warped(picture, offsets)[4:-4, 4:-4], expected[4:-4, 4:-4], atol=1e-6)


# The temporal term


def test_the_temporal_term_is_the_weighted_mean_square(picture):
    last, now = picture(10, 12, 1), picture(10, 12, 2)
    reliable = picture(10, 12, 3)[..., :1]
    expected = (reliable.astype("float64") * (now.astype("float64") - last) ** 2).mean()
    assert float(Temporal(last, reliable)(now)[0]) == pytest.approx(expected, rel=1e-5)


def test_the_temporal_terms_gradient_is_exact_and_zero_where_the_flow_is_not_reliable(picture):
    last, now = picture(10, 12, 1), picture(10, 12, 2)
    reliable = np.ones((10, 12, 1), "float32")
    reliable[:, :5] = 0
    term = Temporal(last, reliable)
    gradient = term.value_and_gradient(tf.constant(now, tf.float64)).gradient.numpy()
    assert not gradient[:, :5].any()
    expected = 2 * reliable * (now.astype("float64") - last) / now.size
    np.testing.assert_allclose(gradient, expected, rtol=1e-12)


def test_every_frame_shares_one_graph(picture):
    certain = np.ones((10, 12, 1), "float32")
    one, other = (Temporal(picture(10, 12, seed), certain) for seed in (1, 2))
    assert one.graph_key() == other.graph_key()


def test_the_temporal_term_can_be_tiled(squeezenet, picture):
    last, now = picture(64, 80, 1), picture(64, 80, 2)
    score = dk.Dream(squeezenet) - 5 * Temporal(last, picture(64, 80, 3)[..., :1])
    whole, tiled = (s.value_and_gradient(now) for s in (score, dk.Tiled(score, 32)))
    assert float(tiled.total) == pytest.approx(float(whole.total), rel=1e-5)
    np.testing.assert_allclose(tiled.gradient, whole.gradient, atol=1e-5)


# The film


def flicker(made, shown):
    """Mean difference of each frame to the one before, moved by the video's flow."""
    flows = [optical_flow(*pair) for pair in itertools.pairwise(shown)]
    pairs = zip(made, made[1:], flows, strict=False)
    return np.mean([difference(now, f.carry(last), f.reliable) for last, now, f in pairs])


RECIPES = {
    "style_transfer": dict(style="mosaic", steps=24, backbone="squeezenet"),
    "deep_dream": dict(steps=4, octaves=2, backbone="squeezenet"),
}
EVERY_RECIPE = pytest.mark.parametrize("recipe", RECIPES)


@pytest.mark.slow
@EVERY_RECIPE
def test_a_video_flickers_far_less_than_independent_frames(tmp_path, recipe):
    source, out = tmp_path / "walk.mp4", tmp_path / "made.mp4"
    encode(source, clip(grain=0.01), SIZE, 10)
    shown = list(open_video(source))
    make = getattr(dk, recipe)
    independent = [make(frame, **RECIPES[recipe], **QUICK).image for frame in shown]
    options = dict(size=64, keep_frames=True, **RECIPES[recipe], **QUICK)
    movie = dk.transform_video(source, out, recipe, **options)
    files = sorted(Path(f"{out}-frames").glob("*.png"))
    made = [dk.load_image(file) for file in files]
    ratio = flicker(made, shown) / flicker(independent, shown)
    assert ratio < 0.5
    assert movie.settings["flicker"] == pytest.approx(flicker(made, shown), rel=0.05)
    assert np.abs(made[-1] - shown[-1]).mean() > 0.3 * np.abs(made[0] - shown[0]).mean()


@EVERY_RECIPE
def test_the_temporal_term_reduces_the_flicker(tmp_path, video, recipe):
    flickers = {}
    for temporal in (0.0, 1.0):
        out = tmp_path / f"{temporal}.gif"
        options = dict(size=64, temporal=temporal, **RECIPES[recipe], **QUICK)
        flickers[temporal] = dk.transform_video(video, out, recipe, **options).settings["flicker"]
    assert flickers[1.0] < 0.9 * flickers[0.0]


def test_the_first_frame_is_the_recipes_own(tmp_path, video):
    frame = next(iter(open_video(video)))
    for recipe, painter in (("style_transfer", StyleFrames), ("deep_dream", DreamFrames)):
        make = getattr(dk, recipe)
        given, _ = make.resolve(frame, **RECIPES[recipe], profile="ci", seed=1)
        given |= dict(checkpoint=None, progress=False)
        expected = make(frame, **RECIPES[recipe], **QUICK).image
        assert np.array_equal(painter(given, 1.0, None).first(frame), expected)


def test_a_stopped_video_continues_and_is_the_same_film(tmp_path, video, monkeypatch):
    options = dict(size=64, keep_frames=True, **RECIPES["deep_dream"], **QUICK)
    dk.transform_video(video, tmp_path / "whole.gif", "deep_dream", **options)
    paint, calls = DreamFrames.next, []

    def stopping(self, *given):
        calls.append(given[-1])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return paint(self, *given)

    monkeypatch.setattr(painters.DreamFrames, "next", stopping)
    with pytest.raises(KeyboardInterrupt, match="stopped after 2 of 4 frames"):
        dk.transform_video(video, tmp_path / "part.gif", "deep_dream", **options)
    dk.transform_video(video, tmp_path / "part.gif", "deep_dream", **options)
    assert calls == [1, 2, 2, 3]
    assert (tmp_path / "part.gif").read_bytes() == (tmp_path / "whole.gif").read_bytes()
    one, other = (json.loads((tmp_path / f"{n}.gif.json").read_text()) for n in ("part", "whole"))
    assert one == other


def test_a_video_is_made_again_from_its_settings(tmp_path, video):
    options = dict(size=64, start=1, stop=4, every=2, **RECIPES["deep_dream"], **QUICK)
    movie = dk.transform_video(video, tmp_path / "made.gif", "deep_dream", **options)
    assert movie.settings["frames"] == 2
    assert movie.settings["arguments"]["fps"] == 5
    assert movie.settings["inputs"]["video"]["sha256"] == open_video(video).digest()
    again = dk.rerun(tmp_path / "made.gif.json", out=tmp_path / "again.gif", progress=False)
    assert again.path.read_bytes() == movie.path.read_bytes()
    video.unlink()
    with pytest.raises(ImageError, match=r"walk\.mp4' was not found"):
        dk.rerun(tmp_path / "made.gif.json", out=tmp_path / "third.gif", progress=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(recipe="dream_style"), "recipe"),
        (dict(temporal=-1.0), "temporal"),
        (dict(every=0), "every"),
        (dict(start=9), "no frame 9"),
    ],
)
def test_a_wrong_argument_is_named_before_the_work(tmp_path, video, options, words):
    options = {"style": "mosaic"} | options
    with pytest.raises(SettingsError, match=words):
        dk.transform_video(video, tmp_path / "made.gif", **options, **QUICK)
    assert not (tmp_path / "made.gif-frames").exists()

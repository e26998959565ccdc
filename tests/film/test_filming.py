"""Films of runs, zooms and morphs: what they show, how they loop, how they go on."""

import itertools
import json
import sys

import numpy as np
import pytest
from scipy.ndimage import affine_transform

import dreamkit as dk
from dreamkit.controls.colour import grey
from dreamkit.errors import ImageError, SettingsError
from dreamkit.film import zoom as zoom_module
from dreamkit.film.morph import between
from dreamkit.film.painters import StyleFrames
from dreamkit.film.reading import open_video
from dreamkit.film.recording import open_film
from dreamkit.film.reel import Reel
from dreamkit.film.zoom import lead_back, moved
from dreamkit.images import load_image
from dreamkit.recipes import style_transfer

QUICK = dict(profile="ci", seed=1, progress=False)
SMALL = dict(QUICK, size=48)


def frames(path):
    return list(open_video(path))


def kept(path):
    """The frames that `keep_frames=True` left behind, exactly."""
    folder = path.with_name(f"{path.name}-frames")
    return [dk.load_image(file) for file in sorted(folder.glob("*.png"))]


def settings(path):
    return json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))


def jump(one, other):
    return float(np.abs(one - other).mean())


# A run as a film


def test_a_film_has_every_second_step_and_ends_with_the_result(tmp_path):
    film = dk.Film(tmp_path / "run.gif", every=2, hold=0, keep_frames=True)
    steps = []
    run = dk.deep_dream("chelsea", steps=4, callback=film.alongside(steps.append), **SMALL)
    film.finish(run)
    expected = [step.image for step in steps if step.step % 2 == 0]
    assert len(expected) < len(steps) == len(run.history)
    for made, step in zip(kept(tmp_path / "run.gif"), expected, strict=True):
        assert np.abs(made - step).max() <= 0.5001 / 255
    shown = frames(tmp_path / "run.gif")
    assert len(shown) == len(expected) + 1
    assert {frame.shape for frame in shown} == {run.image.shape}, (
        "smaller octaves were not enlarged"
    )
    assert jump(shown[-1], run.image) < 0.05


def test_a_filmed_run_is_the_same_run(tmp_path):
    film = dk.Film(tmp_path / "run.gif")
    filmed = dk.deep_dream("chelsea", callback=film, **SMALL)
    assert np.array_equal(filmed.image, dk.deep_dream("chelsea", **SMALL).image)


def test_the_settings_next_to_a_film_make_its_picture_again(tmp_path):
    film = dk.Film(tmp_path / "run.gif")
    run = dk.deep_dream("chelsea", callback=film, **SMALL)
    film.finish(run)
    assert settings(tmp_path / "run.gif")["film"]["frames"] == len(run.history) + 24
    again = dk.rerun(tmp_path / "run.gif.json", progress=False)
    assert np.array_equal(again.image, run.image)


def test_a_callback_next_to_a_film_can_still_stop_the_run(tmp_path):
    film = dk.Film(tmp_path / "run.gif")
    stop = film.alongside(lambda step: step.step == 1)
    run = dk.deep_dream("chelsea", steps=4, callback=stop, **SMALL)
    assert run.stopped == "callback"
    assert len(film.reel) == 2
    film.finish(run)
    assert open_video(tmp_path / "run.gif").frames >= 2


def test_the_film_of_a_resumed_run_has_no_frame_twice(tmp_path):
    noise = np.random.default_rng(0).random((24, 24, 3), "float32")
    film = dk.Film(tmp_path / "run.gif").start({"recipe": "a run"})

    def steps(numbers, film):
        from dreamkit.runs.recorder import Step

        for number in numbers:
            film(Step(number, "octave 1/1", 0.0, {}, 0.0, noise * number / 10))

    steps(range(6), film)
    again = dk.Film(tmp_path / "run.gif").start({"recipe": "a run"})
    assert len(again.reel) == 6
    steps(range(3, 9), again)  # as the last checkpoint was written at step 3
    assert len(again.reel) == 9
    assert np.abs(again.reel[8] - noise * 0.8).max() < 0.01
    with pytest.raises(SettingsError, match="recipe"):
        dk.Film(tmp_path / "run.gif").start({"recipe": "another run"})


def test_an_interrupted_run_gives_a_film_that_continues_with_it(tmp_path):
    def interrupted(step):
        if step.step == 2:
            raise KeyboardInterrupt

    film = open_film(tmp_path / "run.gif", {"recipe": "a run"})
    run = dk.deep_dream("chelsea", steps=4, callback=film.alongside(interrupted), **SMALL)
    assert run.stopped == "interrupted"
    film.finish(run)
    assert open_video(tmp_path / "run.gif").frames > 1
    again = open_film(dk.Film(tmp_path / "run.gif"), {"recipe": "a run"})
    assert len(again.reel) == len(film.reel) == 3
    run = dk.deep_dream("chelsea", steps=4, callback=again, **SMALL)
    again.finish(run)
    assert settings(tmp_path / "run.gif")["film"]["frames"] == len(run.history) + 24
    assert not (tmp_path / "run.gif-frames").exists()
    with pytest.raises(ImageError, match="already exists"):
        open_film(tmp_path / "run.gif", {"recipe": "a run"})


@pytest.mark.parametrize(
    ("options", "name"), [({"every": 0}, "every"), ({"fps": 0}, "fps"), ({"hold": -1.0}, "hold")]
)
def test_a_wrong_argument_of_a_film_is_named(tmp_path, options, name):
    with pytest.raises(SettingsError, match=name):
        dk.Film(tmp_path / "run.gif", **options).start()


# The zoom


def test_moving_a_picture_is_scipys_affine_map_about_its_middle():
    picture = dk.load_image("chelsea", 60)
    turn = np.deg2rad(12)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) / 1.3
    middle = (np.array(picture.shape[:2]) - 1) / 2
    expected = [
        affine_transform(plane, matrix, middle - matrix @ middle, order=3)
        for plane in np.moveaxis(picture, -1, 0)
    ]
    inner = slice(6, -6), slice(6, -6)
    expected = np.stack(expected, -1)[inner]
    assert jump(moved(picture, 1.3, -12)[inner], expected) > 0.05
    assert jump(moved(picture, 1.3, 12)[inner], expected) < 0.005


def test_each_frame_of_a_zoom_shows_the_last_one_enlarged(tmp_path):
    path = tmp_path / "zoom.gif"
    dk.zoom_dream("chelsea", path, 5, 1.1, 2.0, 1, 1, keep_frames=True, **SMALL)
    first, *rest = kept(path)
    photo = dk.load_image("chelsea", 48)
    assert np.abs(first - photo).max() <= 0.5001 / 255
    for before, now in itertools.pairwise([first, *rest]):
        assert jump(now, moved(before, 1.1, 2)) < 0.6 * jump(now, before)


def test_the_colours_of_a_long_zoom_keep_the_first_ones_contrast(tmp_path):
    path = tmp_path / "zoom.gif"
    dk.zoom_dream("chelsea", path, 9, 1.05, 0.0, 3, 1, keep_frames=True, **SMALL)
    first, *_, last = kept(path)
    assert last.std((0, 1)) == pytest.approx(first.std((0, 1)), rel=0.1)
    assert last.mean((0, 1)) == pytest.approx(first.mean((0, 1)), abs=0.03)


@pytest.mark.parametrize("rotate", [0.0, 3.0])
def test_a_loop_ends_where_it_begins(tmp_path, rotate):
    closed, cut = tmp_path / "loop.gif", tmp_path / "cut.gif"
    for path, loop in ((closed, True), (cut, False)):
        options = dict(loop=loop, keep_frames=True, **SMALL)
        dk.zoom_dream("chelsea", path, 16, 1.06, rotate, 2, 1, **options)
    jumps = {}
    for path in (closed, cut):
        made = kept(path)
        inside = np.mean([jump(a, b) for a, b in itertools.pairwise(made)])
        jumps[path] = jump(made[-1], made[0]) / inside
    assert jumps[closed] < 1.3
    assert jumps[cut] > 2


def test_the_frame_before_the_first_one_is_the_first_one_shrunk():
    first = dk.load_image("chelsea", 96)
    film = dict(frames=20, zoom=1.05, rotate=2.0)
    last = lead_back(np.zeros_like(first), first, 1, film)
    inner = slice(16, -16), slice(16, -16)
    assert jump(moved(last, 1.05, 2)[inner], first[inner]) < 0.02
    assert np.array_equal(lead_back(first * 0, first, 20, film), first * 0)


def test_a_stopped_zoom_continues_at_its_frame_and_is_the_same_film(tmp_path, monkeypatch):
    options = dict(frames=5, steps=1, loop=True, keep_frames=True, size=48, progress=False)
    dk.zoom_dream("chelsea", tmp_path / "whole.gif", profile="ci", seed=3, **options)
    calls, dream = [], zoom_module.deep_dream
    path = tmp_path / "stopped.gif"

    def stopping(*args, **kwargs):
        calls.append(kwargs["seed"])
        if len(calls) == 3:
            raise KeyboardInterrupt
        return dream(*args, **kwargs)

    stopping.resolve = dream.resolve
    monkeypatch.setattr(zoom_module, "deep_dream", stopping)
    with pytest.raises(KeyboardInterrupt, match="stopped after 3 of 5 frames"):
        dk.zoom_dream("chelsea", path, profile="ci", seed=3, **options)
    assert not path.exists()
    with pytest.raises(SettingsError, match="zoom"):
        dk.zoom_dream("chelsea", path, profile="ci", seed=3, zoom=1.2, **options)
    dk.zoom_dream("chelsea", path, **options)  # the seed and the profile are the film's own
    assert len(calls) == 3 + 2
    assert len(set(calls)) == 4, "every frame has a seed of its own, the third one twice"
    for one, other in zip(kept(path), kept(tmp_path / "whole.gif"), strict=True):
        assert np.array_equal(one, other)
    assert path.read_bytes() == (tmp_path / "whole.gif").read_bytes()


def test_a_recipe_that_was_interrupted_stops_the_film(tmp_path, monkeypatch):
    dream = zoom_module.deep_dream

    def interrupted(**kwargs):
        run = dream(**kwargs)
        run.stopped = "interrupted"
        return run

    interrupted.resolve = dream.resolve
    monkeypatch.setattr(zoom_module, "deep_dream", interrupted)
    with pytest.raises(KeyboardInterrupt, match="stopped after 1 of 4"):
        dk.zoom_dream("chelsea", tmp_path / "zoom.gif", 4, steps=1, **SMALL)


def test_a_zoom_is_made_again_from_its_settings(tmp_path):
    path, again = tmp_path / "zoom.gif", tmp_path / "again.gif"
    movie = dk.zoom_dream("chelsea", path, 3, 1.1, 1.0, 1, layers="fire5", **SMALL)
    saved = settings(path)
    assert saved == movie.settings
    assert saved["recipe"] == "zoom_dream"
    assert saved["arguments"].items() >= dict(zoom=1.1, rotate=1.0, steps=1, layers="fire5").items()
    assert saved["inputs"]["image"]["source"] == "chelsea"
    dk.rerun(tmp_path / "zoom.gif.json", out=again, progress=False)
    assert again.read_bytes() == path.read_bytes()
    with pytest.raises(SettingsError, match="out="):
        dk.rerun(tmp_path / "zoom.gif.json")


@pytest.mark.parametrize(
    ("options", "name"),
    [({"frames": 1}, "frames"), ({"zoom": 0.9}, "zoom"), ({"rotate": 90.0}, "rotate")],
)
def test_a_wrong_argument_of_a_zoom_is_named_before_the_work(tmp_path, options, name):
    with pytest.raises(SettingsError, match=name):
        dk.zoom_dream("chelsea", tmp_path / "zoom.gif", **options, **SMALL)
    assert not list(tmp_path.iterdir())


def test_a_finished_film_is_not_overwritten(tmp_path):
    options = dict(frames=2, steps=1, octaves=1, **SMALL)
    path = dk.zoom_dream("chelsea", tmp_path / "zoom.gif", **options).path
    before = path.read_bytes()
    with pytest.raises(ImageError, match="already exists"):
        dk.zoom_dream("chelsea", path, **options)
    dk.zoom_dream("coffee", path, overwrite=True, **options)
    assert path.read_bytes() != before


# The morph


def test_a_morph_leads_from_the_photo_by_paintings_to_dreams(tmp_path):
    path = tmp_path / "morph.gif"
    dk.morph("chelsea", "mosaic", path, 12, 2, keep_frames=True, **SMALL)
    photo, faint, painted, _, dreamt = keyframes = kept(path)
    assert np.abs(photo - dk.load_image("chelsea", 48)).max() <= 0.5001 / 255
    run = dk.style_transfer("chelsea", "mosaic", **SMALL)
    assert np.abs(painted - run.image).max() <= 0.5001 / 255
    assert np.abs(dreamt - dk.deep_dream(painted, **QUICK).image).max() <= 0.5001 / 255
    assert jump(faint, photo) < jump(painted, photo)
    shown = frames(path)
    assert len(shown) == 12
    for shown_at_an_end, keyframe in ((shown[0], keyframes[0]), (shown[-1], keyframes[-1])):
        assert jump(shown_at_an_end, keyframe) < 0.06  # GIF's 256 colours


def test_a_morph_paints_and_dreams_where_and_how_it_is_told(tmp_path, monkeypatch):
    given, mask = {}, np.ones((48, 48), "float32")

    def watched(recipe):
        def record(picture, **options):
            given[recipe.__name__] = options
            return recipe(picture, **options)

        return record

    for recipe in (dk.style_transfer, dk.deep_dream):
        module = sys.modules["dreamkit.film.morph"]  # the package's `morph` is the function
        monkeypatch.setattr(module, recipe.__name__, watched(recipe))
    chosen = dict(quality="gatys", strength=0.5, preserve_color="match", content_mask=mask)
    short = dict(frames=4, keyframes=1, size=48, steps=1, octave_steps=1, octaves=1, seed=1)
    options = dict(dream_mask=mask, profile="ci", progress=False)
    dk.morph("chelsea", "mosaic", tmp_path / "film.gif", **chosen, **short, **options)
    painted = given["style_transfer"]
    assert painted["style_weight"] == 40
    np.testing.assert_array_equal(painted.pop("content_mask")[..., 0], mask)
    assert {name: painted[name] for name in chosen if name in painted} == {
        name: value for name, value in chosen.items() if name != "content_mask"
    }
    assert given["deep_dream"]["dream_mask"] is not None


def test_a_morph_moves_at_an_even_speed(tmp_path):
    reel = Reel(tmp_path / "a.gif", {})
    for level in (0.0, 0.1, 0.2, 0.9):  # keyframes that differ by more and more
        reel.add(np.full((8, 8, 3), level, "float32"))
    shown = [reel[place].mean() for place in between(reel, 10, loop=False)]
    assert np.diff(shown) == pytest.approx(0.1, abs=0.003)


@pytest.mark.slow
def test_a_looping_morph_goes_back_the_same_way(tmp_path):
    places = between([np.full((2, 2, 3), grey) for grey in (0.0, 0.5, 1.0)], 5, loop=True)
    assert places == pytest.approx([0, 0.5, 1, 1.5, 2, 1.5, 1, 0.5])


def test_a_stopped_morph_is_made_again_from_its_settings(tmp_path):
    path, again = tmp_path / "morph.gif", tmp_path / "again.gif"
    dk.morph("chelsea", "mosaic", path, 4, 1, loop=True, **SMALL)
    assert settings(path)["inputs"]["style"]["source"] == "mosaic"
    dk.rerun(tmp_path / "morph.gif.json", out=again, progress=False)
    assert again.read_bytes() == path.read_bytes()


def test_a_recipes_film_keyword_makes_the_film_of_its_steps(tmp_path):
    path, steps = tmp_path / "run.gif", []
    options = dict(profile="ci", seed=1, progress=False, callback=lambda step: steps.append(step))
    run = style_transfer("astronaut", "mosaic", film=path, **options)
    settings = json.loads((tmp_path / "run.gif.json").read_text("utf-8"))
    assert path.is_file()
    assert settings["film"]["frames"] == len(steps) + 24  # the result is held for a second
    assert "film" not in run.settings["arguments"]


def test_a_videos_later_frames_keep_the_controls(tmp_path):
    frame = load_image("astronaut", 48)
    mask = np.tile(np.linspace(0, 1, 48, dtype="float32"), (48, 1))
    options = dict(style_mask=mask, preserve_color="luminance", strength=0.5, profile="ci", seed=1)
    given, _ = style_transfer.resolve(frame, {"mosaic": 1, "night_flow": 1}, **options)
    carried = 0.5 * frame
    painted = StyleFrames(given, 1.0, 2).next(frame, carried, np.ones((48, 48, 1), "float32"), 1)
    chroma = lambda picture: picture - grey(picture)  # noqa: E731
    np.testing.assert_allclose(chroma(painted), chroma(frame), atol=1e-5)

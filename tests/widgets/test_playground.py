"""The playground without a browser: choices, code, shelf, pictures and what the page says."""

import datetime
import errno
import html
import inspect
import io
import json
import os
import re
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import dreamkit as dk
from dreamkit.errors import ImageError, WeightsError
from dreamkit.profiles import PROFILES
from dreamkit.recipes import RECIPES
from dreamkit.widgets import choices, playground, timing
from dreamkit.widgets.code import Rectangle, Upload
from dreamkit.widgets.compare import divided
from dreamkit.widgets.curves import curves
from dreamkit.widgets.panel import WITHOUT

MINUTE = 60


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = playground("ci", folder=tmp_path / "saved")
    yield page
    page.worker.stop()
    assert page.worker.wait(MINUTE)


def words(widget):
    """The text of an HTML widget."""
    return html.unescape(re.sub(r"<[^>]*>", " ", widget.value)).strip()


def control(page, label):
    """The widget with this label among those that are shown."""
    (found,) = (widget for _, widget in page.settings._shown if widget.description == label)
    return found


def run(page):
    """Press Run and wait; the result."""
    page.run_button.click()
    assert page.worker.wait(MINUTE)
    return page.shelf.current


def png(size=(60, 40), seed=0):
    """The bytes of a PNG."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), "uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def upload(chooser, name, content):
    file = dict(name=name, type="image/png", size=len(content), content=content)
    chooser.upload.value = (file | {"last_modified": datetime.datetime.now()},)


def remade(page, folder):
    """The picture that the shown code makes."""
    page.code_button.click()
    code = html.unescape(re.search(r"<pre[^>]*>(.*)</pre>", page.code.value, re.DOTALL)[1])
    namespace = {}
    exec(code.replace("\n)\nrun", "\n    progress=False,\n)\nrun"), namespace)
    return namespace["run"].image


# What can be made


def test_everything_that_a_recipe_makes_can_be_chosen():
    assert {make.recipe for make in choices.makes().values()} == set(RECIPES)
    assert [m.name for m in choices.makes().values() if m.recipe == "dream_style"] == [
        "Paint, then dream", "Dream, then paint", "Paint and dream at once",
    ]  # fmt: skip


@pytest.mark.parametrize("make", choices.makes().values(), ids=lambda make: make.name)
def test_every_control_is_an_argument_of_its_recipe_and_says_what_it_changes(make):
    keywords = inspect.signature(make.function).parameters
    shown = choices.controls(make)
    assert {"size", "steps", "seed"} <= {control.keyword for control in shown}
    for each in shown:
        assert each.keyword in keywords
        assert each.hint.endswith(".")
        assert len(each.hint) < 80
    names = [each.keyword for each in shown]
    assert len(set(names)) == len(names)


def test_a_control_without_its_argument_is_not_shown():
    names = {each.keyword for each in choices.controls(choices.makes()["Dream"])}
    assert "style_weight" not in names
    assert "balance" not in names


def test_the_weights_of_a_walk_are_the_recipes_own():
    from dreamkit.recipes import WEIGHTS, weaken

    paint, joint = choices.makes()["Paint"], choices.makes()["Paint and dream at once"]
    values = dict(strength=0.5, style_weight=80.0, content_weight=1.0, tv_weight=0.5)
    assert choices.weights(paint, values) == weaken(WEIGHTS | {"style": 80.0}, 0.5)
    assert choices.weights(joint, dict(strength=1.0, style_weight=120.0, balance=2.0)) == {
        **WEIGHTS, "balance": 2.0,
    }  # fmt: skip
    assert choices.weights(choices.makes()["Dream"], {"steps": 3}) == {}


# The code that is shown makes the same picture


@pytest.mark.parametrize("name", list(choices.makes()))
def test_the_code_makes_the_same_pixels_and_progress_counts_its_steps(page, tmp_path, name):
    page.settings.menu.value = name
    stages, result = page.settings.stages(), run(page)
    assert words(page.message).startswith("Done in ")
    np.testing.assert_array_equal(remade(page, tmp_path), result.run.image)
    history = result.run.history
    found = {phase: rows["step"].max() for phase, rows in history.groupby("phase", sort=False)}
    assert found == {phase: steps for phase, (steps, _) in stages.items()}
    assert page.progress.done(*history.iloc[-1][["phase", "step"]]) == 1.0


def test_the_code_makes_the_same_pixels_with_many_controls_and_an_upload(page, tmp_path):
    (tmp_path / "my photo.png").write_bytes(png())
    upload(page.settings.photo, "C:\\fakepath\\my photo.png", png())
    control(page, "Style weight").value = 200
    control(page, "Strength").value = 0.8
    control(page, "Colours").value = "luminance"
    control(page, "Style layers").value = ("fire2", "fire3")
    page.settings.where.value = "inside"
    page.settings.columns.value = (10, 60)
    result = run(page)
    assert result.call.uploads() == ["my photo.png"]
    np.testing.assert_array_equal(remade(page, tmp_path), result.run.image)
    photo = dk.load_image(png(), 96)
    assert np.abs(result.run.image - photo)[:, 70:].max() < 0.02  # outside the rectangle


def test_the_code_repeats_what_was_changed_while_it_ran(page, tmp_path):
    control(page, "Steps").value = 20
    page.run_button.click()
    control(page, "Style weight").value = 1000  # while it walks
    assert page.worker.wait(MINUTE)
    result = page.shelf.current
    assert result.run.settings["steered"][0][2] == {"style": 1000.0}
    assert result.run.settings["arguments"]["style_weight"] is None
    np.testing.assert_array_equal(remade(page, tmp_path), result.run.image)


# Pictures in


def test_a_place_in_the_queue_is_shown_however_soon_it_is_known(page, monkeypatch):
    monkeypatch.setattr(page.worker, "start", lambda *_call: page.waiting(1))
    page.run_button.click()
    assert "You are number 1 in the queue" in words(page.message)


def test_style_layers_count_as_much_alone_as_among_all(page):
    several = control(page, "Style layers")
    assert "style_layers" not in page.settings.call().arguments
    several.value = ("conv1", "fire3")
    assert page.settings.call().arguments["style_layers"] == {"conv1": 81.0, "fire3": 9.0}
    page.settings.menu.value = "Texture"  # where all layers count alike
    control(page, "Style layers").value = ("conv1", "fire3")
    assert page.settings.call().arguments["style_layers"] == ["conv1", "fire3"]


def test_every_channel_of_a_layer_can_be_chosen_and_no_other(page):
    page.settings.menu.value = "One channel"
    layer, channel = control(page, "Layer"), control(page, "Channel")
    network = dk.load_backbone("squeezenet")
    picture = np.zeros((64, 64, 3), "float32")
    for name, _ in layer.options:
        layer.value = name
        assert channel.max == network.features(picture, name)[name].shape[-1] - 1
    layer.value, channel.value = "fire8", 383
    layer.value = "fire2"
    assert channel.value == channel.max == 127
    assert page.settings.call().arguments["channel"] == 127


def test_an_upload_is_checked_by_the_loader_and_its_size_is_shown(page):
    chooser = page.settings.photo
    upload(chooser, "mine.png", png((60, 40)))
    assert isinstance(chooser.source, Upload)
    assert words(chooser.note) == "60 × 40 px"
    upload(chooser, "letter.txt", b"Dear all, this is no picture.")
    assert words(chooser.note).startswith("letter.txt is not a picture we can read")
    assert chooser.source.file == "mine.png"  # what was chosen before is kept


def test_an_upload_that_is_too_large_is_refused_before_it_is_decoded():
    with pytest.raises(ImageError, match=r"big\.png has 3 MB, more than the 2 MB allowed"):
        Upload("big.png", b"x" * 3_000_000, limit=2)


def test_a_file_name_cannot_break_out_of_the_page_or_of_the_code(page, tmp_path):
    name = 'a"><script>alert(1)</script>.png'
    upload(page.settings.photo, name, png())
    result = run(page)
    page.code_button.click()
    page.save_button.click()
    for shown in (page.code, page.link, page.message, page.settings.photo.note):
        assert "<script>" not in shown.value
    compile(result.call.code(), "code", "exec")


@pytest.mark.parametrize("inside", [True, False])
def test_a_rectangle_is_white_where_the_picture_may_change(inside):
    rectangle = Rectangle((20, 70), (0, 50), inside)
    mask, namespace = rectangle.mask(), {"np": np}
    assert mask[10, 30] == inside
    assert mask[60, 30] == (not inside)
    exec("\n".join(rectangle.code()), namespace)
    np.testing.assert_array_equal(namespace["mask"], mask)


# The page


def test_a_second_run_is_refused_in_one_sentence(page):
    control(page, "Steps").value = 400
    page.run_button.click()
    assert page.run_button.disabled
    page._run(None)  # as if the button had been pressed twice
    assert words(page.message).startswith("A picture is being made")
    assert len(page.shelf.results) == 0


def test_pause_becomes_go_on_and_stop_keeps_the_picture(page):
    control(page, "Steps").value = 400
    page.run_button.click()
    page.pause_button.click()
    deadline = time.monotonic() + MINUTE
    while "Paused" not in page.message.value and time.monotonic() < deadline:
        time.sleep(0.05)
    assert page.pause_button.description == "Go on"
    page.pause_button.click()
    assert page.pause_button.description == "Pause"
    page.stop_button.click()
    assert page.worker.wait(MINUTE)
    assert words(page.message).startswith("Stopped after")
    assert page.shelf.current.run.stopped
    assert not page.run_button.disabled


def test_undo_brings_back_the_picture_and_its_settings(page):
    first = run(page)
    control(page, "Style weight").value = 5
    page.settings.style_picture.menu.value = "mosaic"
    second = run(page)
    assert page.shelf.current is second
    page.undo_button.click()
    assert page.shelf.current is first
    assert control(page, "Style weight").value == 120
    assert page.settings.style_picture.source == "night_flow"
    assert page.undo_button.disabled
    assert page.shelf.results == [first, second]  # nothing is lost


def test_a_saved_picture_has_its_settings_inside_and_is_never_overwritten(page, tmp_path):
    result = run(page)
    for number in ("01", "02"):
        page.save_button.click()
        path = tmp_path / "saved" / f"chelsea-paint-{number}.png"
        again = dk.rerun(path, progress=False)
        np.testing.assert_array_equal(again.image, result.run.image)
    assert 'download="chelsea-paint.png"' in page.link.value


@pytest.mark.parametrize("full", [False, True], ids=["no folder", "full disk"])
def test_a_picture_that_cannot_be_saved_is_one_sentence_and_still_a_download(
    page, tmp_path, monkeypatch, full
):
    if full:
        write = type(run(page).run).save

        def save(self, path):
            if tmp_path / "saved" in path.parents:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(self, path)

        monkeypatch.setattr(type(page.shelf.current.run), "save", save)
    else:
        run(page)
        (tmp_path / "saved").write_text("a file, where the folder would be")
    page.save_button.click()
    said = words(page.message)
    assert said.startswith(f"The picture cannot be saved in '{tmp_path / 'saved'}' (")
    assert said.endswith("): use the download.")
    assert ("No space left" in said) == full
    assert 'role="alert"' in page.message.value
    assert 'download="chelsea-paint.png"' in page.link.value


def test_a_picture_that_cannot_even_be_written_for_the_download_is_one_sentence(page, monkeypatch):
    def fail(self, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(type(run(page).run), "save", fail)
    page.save_button.click()
    assert words(page.message).startswith("The picture cannot be saved (No space left on device)")
    assert page.link.value == ""


def test_a_picture_that_is_too_small_for_the_network_is_one_sentence(page):
    upload(page.settings.photo, "thin.png", png((90, 2)))
    page.run_button.click()
    assert page.worker.wait(MINUTE)
    assert "too small for squeezenet" in words(page.message)
    assert 'role="alert"' in page.message.value


def test_the_estimate_follows_the_sliders(page):
    def seconds():
        return page.settings.estimate().seconds

    control(page, "Steps").value = 100
    few = seconds()
    control(page, "Steps").value = 300
    assert seconds() == pytest.approx(3 * few)
    control(page, "Size").value = 384
    assert seconds() > 3 * 3 * few
    assert re.match(r"384 × 255 px: about .*GiB of memory", words(page.estimated))


def test_without_widgets_a_sentence_says_how_to_do_it_by_code(page, monkeypatch, capsys):
    assert repr(page) == WITHOUT
    assert len(WITHOUT) < 110  # ipywidgets cuts the rest
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    assert playground("ci") is None
    assert "pip install ipywidgets" in capsys.readouterr().out


def test_the_page_is_made_of_core_widgets_only(page):
    modules = {json.dumps(widget._model_module) for widget in descendants(page)}
    assert modules == {'"@jupyter-widgets/controls"'}


def test_every_control_has_a_label_and_every_picture_a_description(page):
    run(page)
    for widget in descendants(page):
        if hasattr(widget, "description") and type(widget).__name__ not in (
            "HTML",
            "FloatProgress",
        ):
            assert widget.description or widget.tooltip or "Picture" in type(widget).__name__
    assert re.search(r'<img alt="The picture, 96 × 64 px"', page.picture.value)


def descendants(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from descendants(child)


# A network that cannot be loaded


@pytest.fixture
def without(monkeypatch):
    """Function (network): from now on it cannot be loaded."""
    load = timing.load_backbone

    def forbid(missing):
        def refuse(name):
            if name == missing:
                raise WeightsError(f"{missing} is not on this machine: fetch it first.")
            return load("squeezenet")

        monkeypatch.setattr(timing, "load_backbone", refuse)

    return forbid


def test_a_page_whose_first_network_is_missing_starts_with_squeezenet(without, tmp_path):
    without("vgg19")
    page = playground(replace(PROFILES["ci"], style_backbone="vgg19"), folder=tmp_path)
    assert words(page.message) == (
        "vgg19 is not on this machine: fetch it first. The network is squeezenet instead."
    )
    assert 'role="alert"' in page.message.value
    assert page.settings.network.value == "squeezenet"
    assert run(page).call.arguments["backbone"] == "squeezenet"


def test_a_choice_whose_network_is_missing_is_taken_back(without, tmp_path):
    without("inception_v3")
    page = playground(replace(PROFILES["ci"], dream_backbone="inception_v3"), folder=tmp_path)
    assert words(page.message) == ""
    page.settings.menu.value = "Dream"
    assert words(page.message) == (
        "inception_v3 is not on this machine: fetch it first. What was chosen before is back."
    )
    assert page.settings.menu.value == "Paint"
    assert control(page, "Style weight").value == 120
    assert run(page).call.make.name == "Paint"


def test_undo_brings_back_a_make_together_with_its_network(without, tmp_path):
    """Each of them alone, with what is chosen now, could not be loaded."""
    without("inception_v3")
    page = playground(replace(PROFILES["ci"], dream_backbone="inception_v3"), folder=tmp_path)
    page.settings.network.value = "squeezenet"
    page.settings.menu.value = "Dream"
    dream = run(page)
    page.settings.menu.value = "Paint"
    page.settings.network.value = ""
    run(page)
    page.undo_button.click()
    assert page.shelf.current is dream
    assert (page.settings.menu.value, page.settings.network.value) == ("Dream", "squeezenet")


# Time


def test_a_slow_network_starts_small_and_says_so():
    size, why = timing.own_size(["vgg19"], 320, seconds=lambda size: (size / 200) ** 2)
    assert size == 96
    assert "vgg19" in why
    assert timing.own_size(["vgg19"], 320, seconds=lambda size: 0.01) == (320, None)


def test_the_size_is_judged_by_the_networks_own_steps_where_they_are_measured():
    own = {"inception_v3": lambda size: 0.1 * (size / 320) ** 2}
    assert timing.own_size(["inception_v3"], 320, lambda size: 1.0, own) == (320, None)
    size, why = timing.own_size(["vgg19", "inception_v3"], 320, lambda size: 1.0, own)
    assert size == 96
    assert why.startswith("A step of vgg19 takes about 1.0 s at 320 px")


def test_the_pace_of_another_network_is_not_told_as_its_own():
    _, why = timing.own_size(["inception_v3"], 320, lambda size: 1.0)
    assert why.startswith("A step of vgg19 takes about 1.0 s at 320 px on this machine, and of")
    assert "inception_v3 perhaps as long" in why


@pytest.mark.parametrize(
    ("fixed", "size"), [(0.05, 224), (0.3, 96), (0.0, 320)], ids=["slow", "too slow", "quick"]
)
def test_the_page_starts_at_a_size_quick_enough_for_play_and_says_why(
    vgg19, monkeypatch, tmp_path, fixed, size
):
    """A step takes `fixed` s and 0.25 s more at 320 px; no time at all if `fixed` is 0."""
    pace = 0.25 / 320**2 if fixed else 0.0
    monkeypatch.setattr(timing, "load_backbone", lambda name: vgg19)
    monkeypatch.setattr(timing, "measure", lambda *_: (fixed, pace))
    monkeypatch.setattr("dreamkit.networks.pace.products_per_second", lambda: 1e11)
    profile = replace(PROFILES["ci"], style_backbone="vgg19", size=320)
    page = playground(profile, folder=tmp_path)
    assert control(page, "Size").value == size
    why = f"A step of vgg19 takes about {fixed + 0.25:.1f} s at 320 px on this machine, so the size"
    said = f"{why} starts at {size} px: move Size for more." if fixed else ""
    assert words(page.message) == said


def test_the_time_left_is_what_the_rest_takes_at_this_pace():
    progress = timing.Progress({"style 1/2": (10, 100), "style 2/2": (10, 400)})
    assert progress.left("style 1/2", 5, moving=1.0) == pytest.approx(9.0)
    assert progress.left("style 2/2", 10, moving=8.0) == 0
    assert progress.left("another", 3, moving=1.0) is None


# Pictures out


def test_the_divider_shows_before_on_its_left_and_after_on_its_right():
    before, after = np.zeros((4, 6, 3), "float32"), np.full((8, 12, 3), 0.5, "float32")
    both = divided(before, after, 0.5)
    assert both.shape == after.shape
    assert both[:, :4].max() == 0
    assert (both[:, 8:] == 0.5).all()
    np.testing.assert_array_equal(divided(before, after, 0.0), after)


def test_the_curves_describe_themselves_in_words():
    rows = [{"style": 2.0}, {"style": 0.5}, {"style": float("nan"), "dream": 3.0}]
    drawn = curves(rows, starts=[2])
    assert 'aria-label="style: 0.5 now, 2 at the start; lower is what we want"' in drawn
    assert "higher is what we want" in drawn
    assert "nan" not in drawn

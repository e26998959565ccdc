"""No picture passes for another: checkpoints, reruns and resumed runs know what they belong to."""

import itertools
import json

import numpy as np
import pytest

from conftest import toy_network
from dreamkit import (
    Content,
    SettingsError,
    TotalVariation,
    deep_dream,
    descend,
    dream_style,
    load_backbone,
    load_image,
    rerun,
    resume,
    save_image,
    style_transfer,
    texture,
    zoom_dream,
)
from dreamkit.controls.quality import QUALITIES, choice
from dreamkit.networks.architectures import ARCHITECTURES
from dreamkit.networks.backbone import Backbone
from dreamkit.runs.checkpoint import Checkpoint
from dreamkit.runs.identity import decisive, digest, network_digest, phases_identity, weights
from dreamkit.startup import keras

FAST = dict(profile="ci", size=48, seed=1, progress=False)
QUIET = dict(progress=False)


def same(one, other):
    return np.array_equal(one.image, other.image)


def changed(network, name=None):
    """A copy of a network with one weight changed by a little."""
    model = keras.models.clone_model(network.model)
    model.set_weights(network.model.get_weights())
    kernel = model.weights[0]
    kernel.assign(kernel.value * np.float32(1.01))
    return Backbone(model, network.architecture, name or network.name)


def stop_after(count):
    """A callback that stops a run after `count` steps over all phases."""
    steps = itertools.count(1)
    return lambda step: next(steps) == count


# Networks


def test_settings_hold_a_digest_of_the_weights_of_every_network(squeezenet):
    run = dream_style("chelsea", "mosaic", steps=1, octave_steps=1, **FAST)
    expected = {"name": "squeezenet", "sha256": network_digest(squeezenet)}
    assert run.settings["weights"] == {"style_backbone": expected, "dream_backbone": expected}
    assert len(expected["sha256"]) == 64
    for recipe in (style_transfer, texture):
        given = ("chelsea", "mosaic")[-2 if recipe is style_transfer else -1 :]
        assert recipe(*given, steps=1, **FAST).settings["weights"] == {"backbone": expected}


def test_the_digest_follows_the_weights_and_not_the_names(toy):
    again, other = toy_network(), toy_network(seed=1)
    assert network_digest(again) == network_digest(toy)
    assert network_digest(other) != network_digest(toy)
    assert network_digest(changed(toy)) != network_digest(toy)


def test_the_digest_of_ones_own_network_follows_its_layers():
    def network(activation, padding="same"):
        inputs = keras.Input((None, None, 3))
        layer = keras.layers.Conv2D(2, 3, activation=activation, padding=padding)
        model = keras.Model(inputs, layer(inputs))
        model.set_weights([np.ones(w.shape, "float32") for w in model.weights])
        return Backbone(model, ARCHITECTURES["squeezenet"], "own")

    digests = {network_digest(network(*a)) for a in [("relu",), ("tanh",), ("relu", "valid")]}
    assert len(digests) == 3
    assert network_digest(network("relu")) == network_digest(network("relu"))


def test_a_rerun_with_other_weights_says_so_before_the_work(squeezenet, tmp_path, monkeypatch):
    run = deep_dream("chelsea", **FAST)
    path = run.save(tmp_path / "made.png")
    other = changed(squeezenet)
    steps = []
    with monkeypatch.context() as patch:
        patch.setattr("dreamkit.runs.identity.load_backbone", lambda name: other)
        with pytest.raises(SettingsError, match="weights of squeezenet are not those of the run"):
            rerun(path, callback=steps.append, progress=False)
        assert not steps
    accepted = rerun(path, backbone=other, progress=False)
    assert not same(accepted, run)
    assert same(rerun(path, backbone="squeezenet", progress=False), run)


def test_a_rerun_of_a_film_says_so_before_the_work_too(squeezenet, tmp_path):
    photo = save_image(tmp_path / "photo.png", load_image("chelsea", 48))
    out, again = tmp_path / "zoom.gif", tmp_path / "again.gif"
    zoom_dream(photo, out, frames=2, steps=1, octaves=1, **FAST)
    with pytest.MonkeyPatch.context() as patch:
        other = changed(squeezenet)
        patch.setattr("dreamkit.runs.identity.load_backbone", lambda name: other)
        with pytest.raises(SettingsError, match="weights of squeezenet are not those of the run"):
            rerun(f"{out}.json", out=again, progress=False)
    save_image(photo, load_image("coffee", 48), overwrite=True)
    with pytest.raises(SettingsError, match="has changed since the run"):
        rerun(f"{out}.json", out=again, progress=False)
    assert not list(tmp_path.glob("again*"))
    rerun(f"{out}.json", out=again, image="coffee", progress=False)
    assert again.is_file()


def test_a_rerun_asks_for_ones_own_network_and_knows_it_again(squeezenet, tmp_path):
    own = changed(squeezenet, "mine")
    run = deep_dream("chelsea", own, **FAST)
    path = run.save(tmp_path / "made.png")
    with pytest.raises(SettingsError, match=r"mine was your own: .*backbone=…"):
        rerun(path, progress=False)
    assert same(rerun(path, backbone=own, progress=False), run)
    with pytest.raises(SettingsError, match="weights of mine are not those of the run"):
        rerun(path, backbone=changed(own, "mine"), progress=False)


def test_settings_from_before_the_digest_are_still_made_again(tmp_path):
    run = deep_dream("chelsea", **FAST)
    path = run.save(tmp_path / "made.png").with_suffix(".json")
    settings = json.loads(path.read_text("utf-8"))
    del settings["weights"]
    path.write_text(json.dumps(settings), "utf-8")
    assert same(rerun(path, progress=False), run)


def test_a_checkpoint_is_not_resumed_with_other_weights(squeezenet, tmp_path):
    own, path = changed(squeezenet, "mine"), tmp_path / "run.npz"
    whole = deep_dream("chelsea", own, steps=3, **FAST)
    deep_dream("chelsea", own, steps=3, checkpoint=path, callback=stop_after(4), **FAST)
    with pytest.raises(SettingsError, match="your own: pass backbone="):
        resume(path, progress=False)
    with pytest.raises(SettingsError, match="other weights of mine"):
        resume(path, backbone=changed(own, "mine"), progress=False)
    assert same(resume(path, backbone=own, progress=False), whole)


# Checkpoints

CHANGES = {
    "photo": dict(content="coffee"),
    "style": dict(style="night_flow"),
    "steps": dict(steps=4),
    "size": dict(size=56),
    "seed, of noise": dict(init="noise", seed=2),
    "formula": dict(formula="gatys", style_weight=1e-3),
    "weight": dict(style_weight=4.0),
    "strength": dict(strength=0.5),
    "layers": dict(style_layers={"fire2": 1.0}),
    "optimizer": dict(optimizer="gradient"),
    "rate": dict(learning_rate=0.01),
    "octaves": dict(octaves=1),
    "more steps": dict(steps=[3, 2]),
    "other more steps": dict(steps=[3, 1]),
    "colour": dict(preserve_color="luminance"),
}


def painted(**changes):
    call = {"content": "chelsea", "style": "mosaic", "steps": 3, **FAST, **changes}
    return style_transfer(call.pop("content"), call.pop("style"), **call)


def check_changes(names):
    """One checkpoint for all these runs changes none of their pictures."""
    checkpoint = Checkpoint()
    for name in names:
        run = painted(checkpoint=checkpoint, **CHANGES[name])
        alone = painted(**CHANGES[name])
        assert same(run, alone), name
        assert run.settings == alone.settings


def test_a_checkpoint_in_memory_gives_every_run_its_own_picture():
    order = np.random.default_rng(3).permutation([*CHANGES])[:5]
    check_changes(["photo", "steps", *order])


@pytest.mark.slow
def test_no_order_of_runs_confuses_a_checkpoint():
    for seed in range(4):
        check_changes(np.random.default_rng(seed).permutation([*CHANGES] * 2))


def test_a_checkpoint_in_memory_still_saves_the_shared_phases_of_two_recipes():
    checkpoint, steps = Checkpoint(), []
    painted(checkpoint=checkpoint)
    run = dream_style(
        *("chelsea", "mosaic"), steps=3, checkpoint=checkpoint, callback=steps.append, **FAST
    )
    assert {step.phase for step in steps} == {"octave 1/1"}
    assert same(run, dream_style("chelsea", "mosaic", steps=3, **FAST))


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_values_of_a_quality_share_its_phases(quality, squeezenet):
    checkpoint, steps = Checkpoint(), []
    first = painted(checkpoint=checkpoint, quality=quality)
    values = choice(quality, squeezenet)._asdict()
    call = dict(checkpoint=checkpoint, quality=quality, callback=steps.append)
    assert same(painted(**call, **values), first)
    assert not steps


@pytest.mark.parametrize("recipe", [style_transfer, dream_style])
def test_checkpoints_from_before_there_was_another_quality_go_on(recipe):
    given, settings = recipe.resolve("chelsea", "mosaic", quality="gatys", **FAST)
    settings |= {"weights": weights(given)}
    then = decisive(settings)
    then["arguments"] |= {"quality": "default", "style_weight": 40.0}
    for name in ("size", *(["quality"] if recipe is dream_style else [])):
        del then["arguments"][name]
    assert phases_identity(settings, recipe.expand(given)) == digest(then)


@pytest.mark.parametrize("change", ["photo", "weight", "size"])
def test_a_checkpoints_file_is_not_taken_over_by_another_run(change, tmp_path):
    path = tmp_path / "run.npz"
    painted(checkpoint=path)
    before = path.read_bytes()
    for checkpoint in (path, Checkpoint(path)):
        with pytest.raises(SettingsError, match="belongs to a run with other settings"):
            painted(checkpoint=checkpoint, **CHANGES[change])
    assert path.read_bytes() == before


def test_a_loop_without_a_recipe_knows_its_picture_and_objective_too(picture, squeezenet, tmp_path):
    one, other = picture(24, 24), picture(24, 24, seed=1)
    path = tmp_path / "loop.npz"

    def loop(start, objective, checkpoint=None):
        return descend(start, objective, 2, checkpoint=checkpoint, **QUIET)

    near = [Content(p, squeezenet) + 0.1 * TotalVariation() for p in (picture(40, 40), other)]
    made = loop(one, TotalVariation(), Checkpoint(path))
    assert same(loop(one, TotalVariation(), Checkpoint(path)), made)
    for wrong in ((other, TotalVariation()), (one, 2 * TotalVariation())):
        with pytest.raises(SettingsError, match="other settings"):
            loop(*wrong, Checkpoint(path))
    memory = Checkpoint()
    start = picture(40, 40, seed=2)
    for objective in near:
        assert same(loop(start, objective, memory), loop(start, objective))


# Resuming


def test_resume_refuses_a_change_that_matters(tmp_path):
    path = tmp_path / "run.npz"
    painted(checkpoint=path, callback=stop_after(2))
    before = path.read_bytes()
    for name, value in dict(style="night_flow", size=56, seed=2, tile=32).items():
        with pytest.raises(SettingsError, match=f"resume cannot change {name}"):
            resume(path, **{name: value}, **QUIET)
    assert path.read_bytes() == before
    assert same(resume(path, **QUIET), painted())


@pytest.mark.slow
def test_more_steps_twice_are_the_same_as_at_once(tmp_path):
    path = tmp_path / "run.npz"
    painted(checkpoint=path)
    assert same(resume(path, steps=2, **QUIET), painted(steps=[3, 2]))
    again = resume(path, steps=1, **QUIET)
    assert same(again, painted(steps=[3, 2, 1]))
    assert again.settings["arguments"]["steps"] == [3, 2, 1]


@pytest.mark.slow
def test_resume_films_the_rest_and_keeps_the_picture(tmp_path):
    path = tmp_path / "run.npz"
    painted(checkpoint=path, callback=stop_after(2))
    run = resume(path, film=tmp_path / "rest.gif", **QUIET)
    assert (tmp_path / "rest.gif").exists()
    assert same(run, painted())


def test_the_photo_may_be_an_array(tmp_path):
    photo, path = load_image("chelsea", 48), tmp_path / "run.npz"
    painted(content=photo, checkpoint=path, callback=stop_after(2))
    with pytest.raises(SettingsError, match="other settings"):
        painted(content=1 - photo, checkpoint=Checkpoint(path))
    assert same(resume(path, **QUIET), painted(content=photo))


def test_load_backbone_gives_the_same_digest_each_time():
    assert network_digest(load_backbone("squeezenet")) == network_digest(
        load_backbone("squeezenet").with_precision("bfloat16")
    )

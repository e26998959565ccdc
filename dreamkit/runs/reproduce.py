"""rerun() makes a picture again, resume() continues an interrupted run.  (Notebook 00.)"""

from pathlib import Path

from ..arguments import kinds
from ..arguments.checked import checked
from ..errors import SettingsError, check_range
from ..film.making import checking
from ..film.morph import morph
from ..film.video import transform_video
from ..film.zoom import zoom_dream
from ..networks.devices import gpu
from ..recipes import RECIPES
from ..startup import tf
from . import reading
from .checkpoint import Checkpoint
from .identity import changed_weights, is_own, usual_steps, weights
from .pictures import call_arguments
from .settings import ended
from .steering import Steered

FILMS = {maker.__name__: maker for maker in (zoom_dream, morph, transform_video)}
MAKERS = {**RECIPES, **FILMS}


HARMLESS = {"callback", "progress", "film"}  # arguments that don't change the picture
STEPS = {"steps", "octave_steps"}


@checked
def rerun(path, **changes):
    """Make a picture or film again from the settings saved with it.

    A picture that was stopped early is made up to the same step, unless `steps=` is given.

    Args:
        path: a `.png` or `.json` file that `Run.save` wrote, or a film's `.json`.
        changes: arguments to change, such as `style=` or `size=`. Pictures that were arrays or came
            from the web, and networks of your own, must be passed again: settings may come from
            anyone, so no address in them is opened. A film needs `out=`, the file to write.

    Returns:
        A new `Run` or `Movie`; with the same machine and versions, the same picture or film. On a
        GPU, TensorFlow's deterministic operations are switched on for the rest of the process, so
        that all reruns are the same; a run made without them may differ in the last bits.

    Raises:
        SettingsError: the file holds no settings, or a picture or a network's weights are missing
            or have changed.

    Introduced in notebook 00.
    """
    settings = read_settings(path)
    reading.check_sources(settings, changes)
    reading.mention_versions(settings)
    pictures = {}
    for key, recorded in settings["inputs"].items():
        name, pictures[key] = key.partition(" ")[0], recorded["source"]
        if pictures[key] is None and name not in changes:
            raise SettingsError(f"The {key} was an array: pass it again, as rerun(…, {name}=…).")
    for name, recorded in settings.get("weights", {}).items():
        if is_own(recorded) and name not in changes:
            raise SettingsError(
                f"The network {recorded['name']} was your own: pass it again, as"
                f" rerun(…, {name}=…)."
            )
    if settings["recipe"] in FILMS and "out" not in changes:
        raise SettingsError("A film is written to a file: name it, as rerun(…, out='again.mp4').")
    if "steered" in settings:
        changes = {"callback": Steered(settings["steered"]), **changes}
    make_deterministic()
    call = {**call_arguments(settings, pictures), **changes}
    if settings["recipe"] in FILMS:
        with checking(lambda now: check_unchanged(settings, now, changes)):
            return FILMS[settings["recipe"]](**call)
    recipe = RECIPES[settings["recipe"]]
    given, now = recipe.resolve(**call)
    check_unchanged(settings, now | {"weights": weights(given)}, changes)
    return _up_to_its_end(recipe, settings, given, now, changes)


def check_unchanged(settings, now, changes):
    """Raise a `SettingsError` if a picture or weights that a run used have changed since.

    Args:
        settings, now: the run's settings, and those of its repetition.
        changes: arguments that were passed again.
    """
    resized = changes.keys() & {"size", "profile"}
    for key, recorded in settings["inputs"].items():
        found, source = now["inputs"].get(key, recorded), recorded["source"]
        if not resized and found["source"] == source and found["sha256"] != recorded["sha256"]:
            raise SettingsError(
                f"The {key} {source or 'array'} has changed since the run: restore the old one."
            )
    recorded = settings.get("weights", {})
    if argument := changed_weights(recorded, now.get("weights", {}), changes):
        name = recorded[argument]["name"]
        remedy = f"or accept another picture, as rerun(…, {argument}={name!r})"
        raise SettingsError(
            f"The weights of {name} are not those of the run: restore the old ones"
            f"{'' if is_own(recorded[argument]) else ', ' + remedy}."
        )


def _up_to_its_end(recipe, settings, given, now, changes):
    """Run a recipe, up to the step at which the saved run was stopped."""
    if settings.get("restarted"):
        print("This run was resumed with L-BFGS, which then started again: expect small changes.")
    if "stopped" not in settings or changes.keys() & STEPS:
        return recipe.perform(given, now)
    if "stopped_at" not in settings:
        print("This picture was stopped early, at an unknown step: the whole run is repeated.")
        return recipe.perform(given, now)
    phase, last = settings["stopped_at"]
    print(f"This picture was stopped at step {last} of {phase}: it is made up to that step.")
    callback = given["callback"]

    def stop(step):
        asked = callback and callback(step)
        return asked or (step.phase, step.step) == (phase, last)

    run = recipe.perform({**given, "callback": stop}, now)
    if isinstance(callback, Steered):
        run.settings["steered"] = callback.events
    if run.settings.get("stopped_at") == settings["stopped_at"]:
        run.stopped = run.settings["stopped"] = settings["stopped"]
    return run


def make_deterministic():
    """On a GPU, let every operation give the same bits each time, and say so in one line."""
    if gpu():
        tf.config.experimental.enable_op_determinism()
        print("On a GPU: all reruns are the same, but the last bits of the first run may differ.")


def read_settings(path):
    """The settings that `Run.save` wrote into a `.png` or `.json`."""
    return reading.read_settings(path, MAKERS)


@checked(checkpoint=kinds.path, steps=kinds.number(1, kinds.MOST_STEPS))
def resume(checkpoint, steps=None, **changes):
    """Continue an interrupted run, or a finished one with more steps.

    Args:
        checkpoint: the `.npz` file given to the recipe as `checkpoint=`.
        steps: how many more steps to do at full size after the last; None for no more.
        changes: `callback=`, `progress=` or `film=`, which a file cannot store, and networks of
            your own, such as `backbone=`.

    Returns:
        The finished `Run`: with Adam and gradient steps, the same picture as without the break.
        L-BFGS starts again, without its memory of earlier steps; one line says so.

    Raises:
        SettingsError: the file is missing, is not a checkpoint of a recipe, or was started with
            other weights; or an argument cannot be changed any more.

    Introduced in notebook 00.
    """
    if not Path(checkpoint).expanduser().is_file():
        raise SettingsError(f"There is no checkpoint at {checkpoint}: give the run's checkpoint=.")
    saved = Checkpoint(checkpoint)
    if "settings" not in saved.notes:
        raise SettingsError(f"{checkpoint} was not written by a recipe: start that run again.")
    settings = reading.check_settings(saved.notes["settings"], str(checkpoint), RECIPES)
    reading.mention_versions(settings)
    own = {name for name, note in settings.get("weights", {}).items() if is_own(note)}
    for name in changes.keys() - HARMLESS - own:
        raise SettingsError(
            f"resume cannot change {name}, which decides how the picture comes out: start a new"
            " run with it."
        )
    if missing := own - changes.keys():
        raise SettingsError(f"The network was your own: pass {' and '.join(sorted(missing))}=.")
    if _starts_again(saved):
        settings["restarted"] = True
        print("L-BFGS starts again, without its memory of the steps so far.")
    if steps is not None:
        settings["arguments"] |= _more_steps(settings, steps)
    pictures = {key: saved.arrays[f"input:{key}"] for key in settings["inputs"]}
    saved.resumed = True
    run = RECIPES[settings["recipe"]](
        **{**call_arguments(settings, pictures), **changes, "checkpoint": saved}
    )
    run.settings = ended(settings | {"weights": run.settings["weights"]}, run, run.stopped)
    return run


def _starts_again(checkpoint):
    """True if a run with L-BFGS was stopped in the middle of a phase."""
    steps = [(note["step"], note["steps"]) for note in checkpoint.notes["phases"].values()]
    unfinished = any(0 < step < planned for step, planned in steps)
    return unfinished and checkpoint.notes["settings"]["arguments"].get("optimizer") == "lbfgs"


def _more_steps(settings, steps):
    """{argument: numbers of steps}, for the last part of a run to continue after its end."""
    check_range("steps", steps, 1)
    arguments = settings["arguments"]
    name = "octave_steps" if arguments.get("order") == "style-dream" else "steps"
    planned = arguments[name]
    if planned is None:
        planned = usual_steps(settings, name)
    return {name: [*(planned if isinstance(planned, list) else [planned]), steps]}

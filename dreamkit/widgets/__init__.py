"""The playground: move a slider, see the picture change.  (Notebook 07.)"""


def playground(profile=None, *, limit=20, queue=None, runs=1, folder="outputs/playground"):
    """A page to play with: pictures, sliders, and a run in the background.

    Args:
        profile: a profile's name or a `Profile`; None for the environment's.
        limit: largest picture that can be uploaded, MB.
        queue: a folder by which several visitors take turns; None if there is only one.
        runs: how many of them may run at once.
        folder: where *Save* writes pictures; None only offers them as a download.

    Returns:
        A widget; None, and one sentence that says what to do, if ipywidgets is missing.

    Introduced in notebook 07.

    >>> playground("ci").run_button.description
    'Run'
    """
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        print(
            "The playground needs ipywidgets (`pip install ipywidgets`); the same by code is"
            ' dk.style_transfer("chelsea", "night_flow", size=192).'
        )
        return None
    from .panel import Playground
    from .turns import Turn

    return Playground(profile, Turn(queue, runs), limit, folder)

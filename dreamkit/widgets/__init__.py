"""Widgets to play with: the playground (notebook 07) and a game (notebook 04)."""


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


def game(canvas=None, count=20, seed=None, *, player="", table="outputs/game.csv"):
    """A game: do pictures of what a channel likes help to tell which photo excites it more?

    Args:
        canvas: what helps: "pixels" or "spectrum" for pictures grown on that canvas, "photos" for
            crops of other photos; None for pixels with half of the channels and spectrum with the
            others.
        count: how many rounds.
        seed: of their order; None draws one.
        player: a name for the table, which can be changed on the page.
        table: a CSV file to which every answer is added; None for no table.
            `dreamkit.study.game_results` reads it.

    Returns:
        A widget; None, and one sentence that says what to do, if ipywidgets is missing.

    Raises:
        SettingsError: no such canvas, or not that many rounds.

    Source: Borowski et al. 2021. Introduced in notebook 04.

    >>> game("spectrum", count=3, table=None).next_button.disabled
    True
    """
    from .rounds import rounds

    questions = rounds(canvas, count, seed)
    try:
        import ipywidgets  # noqa: F401
    except ImportError:
        print(
            "The game needs ipywidgets (`pip install ipywidgets`); the same by code is rounds(),"
            " draw() and record() in dreamkit.widgets.rounds."
        )
        return None
    from .game import Game

    return Game(questions, player, table)

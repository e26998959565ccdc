"""The playground: the page that ties settings, run, picture and shelf together."""

import base64
import html
import tempfile
import time
from pathlib import Path

import ipywidgets as widgets
from IPython.display import HTML, display

from ..errors import DreamkitError
from ..profiles import profile as choose_profile
from ..runs.saving import reason_of
from . import looks
from .compare import divided
from .curves import curves
from .settings import Settings
from .shelf import Result, Shelf
from .timing import Progress, in_words
from .worker import Listener, Worker

CURVES = 1.0  # s between two drawings of the curves, at least
WITHOUT = 'No widgets here? The same by code: dk.style_transfer("chelsea", "night_flow", size=192)'


class Playground(widgets.VBox, Listener):
    """All of it: settings on the left, the picture on the right.

    Args:
        profile: a profile's name, a `Profile`, or None for the environment's.
        turn: see `Turn`.
        limit: largest upload, MB.
        folder: where *Save* writes; None only offers a download.
    """

    def __init__(self, profile=None, turn=None, limit=20, folder=None):
        self.folder, self.shelf, self.drawn = folder and Path(folder), Shelf(), 0.0
        self.worker, self.call, self.sent = Worker(self, turn), None, {}
        self._build_right()
        chosen = profile if hasattr(profile, "size") else choose_profile(profile, quiet=True)
        self.settings = Settings(
            chosen, limit, self._show_estimate, self._change_walk, self.say,
            idle=lambda: not self.worker.busy,
        )  # fmt: skip
        left = looks.column(self.settings, width="330px")
        super().__init__([looks.row(left, self.right)])
        self.add_class("dreamkit-playground")
        self._show_estimate()
        self._show_buttons()

    def __repr__(self):
        return WITHOUT  # what a viewer without widgets shows

    def _repr_mimebundle_(self, **options):
        display(HTML(looks.NAMES))
        return super()._repr_mimebundle_(**options)

    def _build_right(self):
        self.run_button = looks.button("Run", "Make the picture", strong=True)
        self.pause_button = looks.button("Pause", "Pause the run, or continue it")
        self.stop_button = looks.button("Stop", "End now, and keep the picture so far")
        self.undo_button = looks.button("Undo", "Back to the picture before, and its settings")
        self.save_button = looks.button("Save", "Save the picture with its settings inside")
        self.code_button = looks.button("Show me the code", "The code that makes this picture")
        self.run_button.on_click(self._run)
        self.pause_button.on_click(self._pause_or_go_on)
        self.stop_button.on_click(lambda _: self.worker.stop())
        self.undo_button.on_click(self._undo)
        self.save_button.on_click(self._save)
        self.code_button.on_click(self._show_code)
        self.estimated, self.message = looks.text(""), looks.text("", role="status")
        self.bar = widgets.FloatProgress(max=1.0, layout={"width": "98%", "max_width": "512px"})
        self.picture = looks.Picture("The picture", "100%")
        self.divider = widgets.FloatSlider(
            0, min=0, max=1, step=0.02, description="Before", readout=False,
            style={"description_width": "60px"}, layout={"width": "98%", "max_width": "512px"},
        )  # fmt: skip
        self.divider.observe(lambda _: self._show_picture(), "value")
        self.curves, self.link, self.code = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.curves.layout.max_width = "512px"
        self.places = looks.row()
        buttons = self.run_button, self.pause_button, self.stop_button, self.undo_button
        self.shelf_heading = looks.heading("Earlier pictures")
        self.right = looks.column(
            looks.heading("3. Run"),
            self.estimated,
            looks.row(*buttons),
            self.bar,
            self.message,
            self.picture,
            self.divider,
            looks.row(self.save_button, self.code_button),
            self.link,
            self.code,
            self.curves,
            self.shelf_heading,
            self.places,
            width="380px",
        )

    # What the buttons do

    def _run(self, _):
        try:
            self.worker.check_free()
            call = self.settings.call()
            self.before, self.progress = self.settings.start_picture(), self._progress()
            self.remembered, self.sent = self.settings.remember(), self.settings.weights()
            given = call.given()
        except DreamkitError as error:
            self.say(str(error), alarm=True)
            return
        self.call, self.drawn = call, 0.0
        self.bar.value, self.code.value, self.link.value = 0.0, "", ""
        self.curves.value = ""
        if self.before is not None:
            self.picture.show(self.before)
        self.say("Getting ready …")
        self.worker.start(call.make.function, given)  # from now on, the run may say something, too
        self._show_buttons()

    def _progress(self):
        return Progress(self.settings.stages())

    def _pause_or_go_on(self, _):
        if self.worker.walk.go.is_set():
            self.worker.pause()
            self.say("Pausing after this step …")
        else:
            self.worker.go_on()
            self.say("Going on …")
        self._show_buttons()

    def _undo(self, _):
        result = self.shelf.undo()
        self._look_at(result)
        self.say("This is the picture before, with its settings.")

    def _save(self, _):
        result = self.shelf.current
        name = f"{self._stem(result.call)}-{result.call.make.name.lower().replace(' ', '-')}"
        name = name.replace(",", "")
        place = ""
        try:
            with tempfile.TemporaryDirectory() as folder:
                data = result.run.save(Path(folder) / f"{name}.png").read_bytes()
            self._offer_download(name, data)
            place = f" in '{self.folder}'"
            where = f"Saved as {result.run.save(self._free(name))}. " if self.folder else ""
        except (DreamkitError, OSError) as error:
            advice = "use the download" if place else "free some space"
            words = f"The picture cannot be saved{place} ({reason_of(error)}): {advice}."
            self.say(words, alarm=True)
            return
        self.say(f"{where}Its settings are inside the file: dk.rerun makes it again.")

    def _offer_download(self, name, data):
        address = f"data:image/png;base64,{base64.b64encode(data).decode()}"
        self.link.value = (
            f'<a download="{html.escape(name)}.png" href="{address}" style="color:{looks.INK};'
            'font-weight:bold;text-decoration:underline">Download the picture</a>'
        )

    def _stem(self, call):
        names = [getattr(source, "file", source) for source in call.arguments.values()][:1]
        return Path(str(names[0])).stem.replace(" ", "_") if call.make.pictures else "channel"

    def _free(self, name):
        """A path that is not taken yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while (path := self.folder / f"{name}-{number:02d}.png").exists():
            number += 1
        return path

    def _show_code(self, _):
        result = self.shelf.current
        code = result.call.code(result.run.settings.get("steered", ()))
        self.code.value = (
            f'<pre tabindex="0" aria-label="The code" style="overflow-x:auto;padding:8px;'
            f"font-family:monospace;"
            f"border:1px solid #888;font-size:12px;line-height:1.35;color:{looks.INK};"
            f'background:transparent">{html.escape(code)}</pre>'
        )

    def _change_walk(self):
        """Let the sliders that can do so change the running walk."""
        if not self.worker.busy or self.call is None or self.settings.make != self.call.make:
            return
        weights = self.settings.weights()
        changed = {name: w for name, w in weights.items() if self.sent.get(name) != w}
        self.sent = weights
        if changed:
            self.worker.change(changed)

    # What the run says, in its own thread

    def waiting(self, place):
        runs = "1 run" if place == 1 else f"{place} runs"
        self.say(f"Other pictures come first. You are number {place} in the queue: {runs} to go.")

    def walking(self, step, walk):
        self.picture.show(step.image)
        self._show_progress(step, walk)
        if time.monotonic() - self.drawn >= CURVES:
            self.drawn = time.monotonic()
            self.curves.value = curves(walk.rows, walk.starts)

    def paused(self, step, walk):
        self.picture.show(step.image)
        self.say(f"Paused after step {step.step} of {step.phase}.")
        self._show_buttons()

    def ended(self, run, problem):
        walk = self.worker.walk
        self.curves.value = curves(walk.rows, walk.starts)
        if run is not None and run.image is not None and run.settings:
            self.shelf.add(Result(run, self.call, self.before, self.remembered))
            self.divider.value = 0
            self._show_picture()
            self._show_shelf()
        if problem:
            self.say(problem, alarm=True)
        elif run is None:
            self.say("Stopped before the first step.")
        else:
            self.bar.value = 1.0 if not run.stopped else self.bar.value
            took = in_words(walk.moving)
            self.say(f"Stopped after {took}." if run.stopped else f"Done in {took}.")
        self._show_buttons()

    # What is shown

    def say(self, words, alarm=False):
        """Show one sentence."""
        self.message.value = looks.spoken(
            words, 13, looks.ALARM if alarm else looks.INK, "alert" if alarm else "status"
        )

    def _show_progress(self, step, walk):
        done = self.progress.done(step.phase, step.step)
        left = self.progress.left(step.phase, step.step, walk.moving)
        self.bar.value = done or 0.0
        rest = f", about {in_words(left)} left" if left is not None else ""
        size = f"{step.image.shape[1]} × {step.image.shape[0]} px"
        self.say(f"{step.phase.capitalize()}, step {step.step}, {size}{rest}.")

    def _show_estimate(self):
        found = self.settings.estimate() if hasattr(self, "settings") else None
        if found is None:
            self.estimated.value = looks.spoken("Not measured yet.")
            return
        height, width = self.settings.size()
        verdict = "" if found.gib < found.free else ": too much, so choose a smaller size"
        self.estimated.value = looks.spoken(
            f"{width} × {height} px: about {in_words(found.seconds)}, and {found.gib:.1f} GiB of"
            f" memory ({found.free:.1f} GiB are free{verdict})."
        )

    def _show_picture(self):
        result = self.shelf.current
        if result is None or self.worker.busy:
            return
        image = result.run.image
        if result.before is not None:
            image = divided(result.before, image, self.divider.value)
        self.picture.show(image)

    def _show_shelf(self):
        self.places.children = [self._place(n, r) for n, r in enumerate(self.shelf.results)]

    def _place(self, number, result):
        """A result on the shelf: its picture, and a button to look at it."""
        image = looks.Picture(f"Picture {number + 1}", most="96px")
        image.show(looks.thumbnail(result.run.image, 96))
        show = looks.button(f"Show {number + 1}", f"{result.call.make.name}, with its settings")
        show.on_click(lambda _: self._look_at(self.shelf.look_at(number)))
        return widgets.VBox([image, show], layout={"margin": "0 6px 6px 0"})

    def _look_at(self, result):
        self.settings.restore(result.choices)
        self.call, self.divider.value = result.call, 0
        self.link.value = self.code.value = self.curves.value = ""
        self._show_picture()
        self._show_buttons()

    def _show_buttons(self):
        busy, result = self.worker.busy, self.shelf.current
        self.run_button.disabled = busy
        self.pause_button.disabled = self.stop_button.disabled = not busy
        going = not busy or self.worker.walk.go.is_set()
        self.pause_button.description = "Pause" if going else "Go on"
        self.undo_button.disabled = busy or not self.shelf.can_undo()
        self.save_button.disabled = self.code_button.disabled = busy or result is None
        looks.show(self.divider, not busy and result is not None and result.before is not None)
        looks.show(self.shelf_heading, bool(self.shelf.results))

"""The game as a page: pictures that help, two photos, an answer, a verdict and a score."""

import time

import ipywidgets as widgets

from . import looks
from .rounds import HELP, record, verdict

WITHOUT = "No widgets here? Play with dreamkit.widgets.rounds: rounds(), draw() and record()."


class Game(widgets.VBox):
    """Play the rounds one after the other.

    Args:
        questions: the `Round`s.
        player: a name for the table.
        table: the CSV file to which every answer is added; None for no table.
    """

    def __init__(self, questions, player="", table=None):
        self.questions, self.table, self.number, self.right = questions, table, 0, []
        self.name = widgets.Text(
            player, description="Your name", placeholder="or a nickname",
            layout={"width": "98%", "max_width": "280px"}, style={"description_width": "80px"},
        )  # fmt: skip
        self.heading = looks.heading("")
        self.references = looks.row()
        self.photos = {side: looks.Picture(f"Photo {side}", most="160px") for side in "AB"}
        self.buttons = {side: looks.button(side, f"Photo {side} excites it more") for side in "AB"}
        for side, button in self.buttons.items():
            button.on_click(lambda _, side=side: self.answer(side))
        self.message = looks.text("", 13, role="status")
        self.next_button = looks.button("Next", "The next round", strong=True)
        self.next_button.on_click(lambda _: self.go_on())
        sides = [
            widgets.VBox([self.photos[side], self.buttons[side]], layout={"margin": "0 10px 0 0"})
            for side in "AB"
        ]
        super().__init__(
            [
                self.name,
                self.heading,
                looks.text("One channel of the network: what excites it, and what silences it."),
                self.references,
                looks.text("Which of the two photos excites it more?"),
                looks.row(*sides),
                self.message,
                self.next_button,
            ]
        )
        self.show()

    def __repr__(self):
        return WITHOUT  # what a viewer without widgets shows

    @property
    def round(self):
        return self.questions[self.number]

    def show(self):
        """Show the round, without its answer."""
        title = f"Round {self.number + 1} of {len(self.questions)}"
        self.heading.value = looks.heading(title).value
        self.references.children = [
            shown(*pair) for pair in zip(HELP, self.round.references, strict=True)
        ]
        for side, image in self.round.photos.items():
            self.photos[side].show(image)
            self.buttons[side].disabled = False
        self.message.value = looks.spoken("", 13, role="status")
        self.next_button.disabled = True
        self.began = time.monotonic()

    def answer(self, side):
        """Take an answer, "A" or "B"; write it down, and say if it is right."""
        seconds = time.monotonic() - self.began
        for button in self.buttons.values():
            button.disabled = True
        self.right.append(side == self.round.answer)
        words = verdict(self.round, side)
        try:
            if self.table is not None:
                record(self.round, side, self.name.value, self.table, seconds)
        except OSError as error:
            words += f" This answer is not in {self.table}: {error.strerror}."
        over = self.number + 1 == len(self.questions)
        score = f"{sum(self.right)} of {len(self.right)} right"
        self.next_button.disabled = over
        words += f" That was the last round: {score}." if over else f" So far {score}."
        self.message.value = looks.spoken(words, 13, role="status")

    def go_on(self):
        """Show the next round."""
        self.number += 1
        self.show()


def shown(label, image):
    """A picture with its label below."""
    picture = looks.Picture(f"A picture that {label}", "160px")
    picture.show(image)
    return widgets.VBox([picture, looks.text(label)], layout={"margin": "0 10px 0 0"})

"""How the page looks: hints, messages and thumbnails, in whatever theme surrounds them."""

import html

import ipywidgets as widgets

from ..film.watching import jpeg
from ..images import resize

INK = "var(--jp-ui-font-color1, #1f1f1f)"
ALARM = "var(--jp-error-color0, #a4000f)"
GO, PLAIN = "#1a5fb4", None  # a blue on which white is easy to read


def text(words, size=12, colour=INK, role=None):
    """Plain words as a widget, with a `role` for screen readers."""
    return widgets.HTML(spoken(words, size, colour, role))


def spoken(words, size=12, colour=INK, role=None):
    """HTML of plain words."""
    attributes = f' role="{role}" aria-live="polite"' if role else ""
    style = f"font-size:{size}px;line-height:1.35;color:{colour};white-space:normal"
    return f'<div style="{style}"{attributes}>{html.escape(words)}</div>'


def heading(words, level=3):
    """A heading that screen readers can jump to."""
    style = f"color:{INK};margin:14px 0 2px;font-size:15px;line-height:1.3"
    return widgets.HTML(f'<h{level} style="{style}">{html.escape(words)}</h{level}>')


def picture(label, width="100%", most="512px"):
    """An empty place for a picture; `label` describes it to those who don't see it."""
    layout = widgets.Layout(width=width, max_width=most, height="auto", object_fit="contain")
    return widgets.Image(format="jpeg", tooltip=label, layout=layout, value=BLANK)


def thumbnail(image, width=150):
    """The bytes of a small JPEG, at most `width` px wide and high."""
    return jpeg(resize(image, min(width, max(image.shape[:2]))))


def button(words, tooltip, strong=False, **options):
    """A button; the tooltip says what it does."""
    layout = widgets.Layout(width="auto", min_width="70px", min_height="32px")
    style = {"button_color": GO, "text_color": "white"} if strong else {}
    made = widgets.Button(description=words, tooltip=tooltip, layout=layout, **options)
    made.style = widgets.ButtonStyle(**style)
    return made


def row(*children):
    """Children next to each other, and below each other on a phone."""
    layout = widgets.Layout(flex_flow="row wrap", align_items="flex-start", width="100%")
    return widgets.HBox(children, layout=layout)


def column(*children, width="300px"):
    """Children below each other, at least `width` wide where the screen is."""
    layout = widgets.Layout(flex=f"1 1 {width}", min_width="0", margin="0 14px 0 0")
    return widgets.VBox(children, layout=layout)


def show(widget, visible):
    """Show a widget, or take it out of the page."""
    widget.layout.display = None if visible else "none"


def _blank():
    import numpy as np

    return jpeg(np.full((2, 2, 3), 0.5, "float32"))


BLANK = _blank()

"""How the page looks: hints, messages and thumbnails, in whatever theme surrounds them."""

import base64
import html

import ipywidgets as widgets

from ..film.watching import jpeg
from ..images import resize

INK = "var(--jp-ui-font-color1, #1f1f1f)"
ALARM = "var(--jp-error-color0, #a4000f)"
# Screen readers call a slider by its label; ipywidgets leaves the handles without a name.
NAMES = """
<script>
(() => {
  const name = () => {
    for (const handle of document.querySelectorAll(".noUi-handle:not([aria-label])")) {
      const label = handle.closest(".jupyter-widgets")?.querySelector(".widget-label");
      if (label && label.textContent) handle.setAttribute("aria-label", label.textContent);
    }
  };
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
})();
</script>
"""
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


class Picture(widgets.HTML):
    """A place for a picture, described in words to those who don't see it.

    ipywidgets' own Image has no place for such words.

    Args:
        label: the description.
        width: how wide it is, a CSS length; None for the picture's own.
        most: how wide it may be, a CSS length.
    """

    def __init__(self, label, width=None, most="512px"):
        self.label, self.width, self.most = label, width, most
        super().__init__(layout=widgets.Layout(max_width="100%"))

    def show(self, image):
        """Show a picture, (H, W, 3) in [0, 1]."""
        height, width = image.shape[:2]
        data = base64.b64encode(jpeg(image)).decode()
        style = f"width:{self.width or 'auto'};max-width:min(100%,{self.most});height:auto"
        self.value = (
            f'<img alt="{html.escape(self.label)}, {width} × {height} px" width="{width}"'
            f' height="{height}" style="{style};display:block"'
            f' src="data:image/jpeg;base64,{data}">'
        )


def thumbnail(image, width=150):
    """A picture made small: at most `width` px wide and high."""
    return resize(image, min(width, max(image.shape[:2])))


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

"""Choosing a picture: one of the samples, or one of the reader's own."""

import ipywidgets as widgets

from ..errors import ImageError
from ..images import load_image
from ..inputs.samples import samples
from . import looks
from .code import LARGEST, LIMIT, Upload


class Chooser(widgets.VBox):
    """A menu of samples, an upload, and a preview with the picture's size.

    Args:
        label: what it is called.
        kind: of the samples: "photo" or "style".
        first: the sample to start with.
        limit: largest upload, MB.
        changed: called when another picture has been chosen.

    Attributes:
        source: a sample's name or an `Upload`.
    """

    def __init__(self, label, kind, first, limit=LIMIT, changed=lambda: None):
        self.label, self.limit, self.changed = label, limit, changed
        names = sorted(samples(kind))
        names = [first, *(name for name in names if name != first)]
        self.menu = widgets.Dropdown(
            options=[(name.replace("_", " "), name) for name in names],
            description=label,
            style={"description_width": "50px"},
            layout=widgets.Layout(width="98%", max_width="260px"),
        )
        self.upload = widgets.FileUpload(
            accept="image/*", multiple=False, description="Your own …", icon="",
            tooltip=f"Choose a picture of your own, up to {limit:g} MB", layout={"width": "auto"},
        )  # fmt: skip
        self.preview = looks.Picture(f"The {label.lower()}", most="150px")
        self.note = looks.text("", role="status")
        self.menu.observe(self._menu_changed, "value")
        self.upload.observe(self._uploaded, "value")
        self.source = first
        self._show()
        layout = widgets.Layout(flex="1 1 150px", margin="0 14px 6px 0")
        super().__init__([self.menu, self.upload, self.preview, self.note], layout=layout)

    def choose(self, source):
        """Choose a sample's name or an `Upload`, as after an undo."""
        self.source = source
        if isinstance(source, Upload):
            self._offer(source)
        self.menu.value = source
        self._show()

    def _menu_changed(self, change):
        self.source = change["new"]
        self._show()
        self.changed()

    def _uploaded(self, change):
        if not change["new"]:
            return
        (file,) = change["new"]
        try:
            source = Upload(file["name"], bytes(file["content"]), self.limit)
        except ImageError as error:
            self.note.value = looks.spoken(str(error), colour=looks.ALARM, role="alert")
            return
        self._offer(source)
        self.menu.value = source

    def _offer(self, source):
        """Put an upload into the menu."""
        names = [value for _, value in self.menu.options]
        if source not in names:
            self.menu.options = [*self.menu.options, (source.file, source)]

    def picture(self, size=None):
        """The chosen picture, (H, W, 3), at `size` px or its own, up to a limit."""
        source = self.source.content if isinstance(self.source, Upload) else self.source
        return load_image(source, size, LARGEST)

    def _show(self):
        picture = self.picture()
        self.shape = picture.shape
        self.preview.show(looks.thumbnail(picture))
        self.note.value = looks.spoken(f"{picture.shape[1]} × {picture.shape[0]} px", role="status")

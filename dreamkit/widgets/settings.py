"""The left side of the page: what to make, from which pictures, and with which settings."""

import contextlib

import ipywidgets as widgets

from ..controls import quality
from ..errors import DreamkitError
from ..images import resize
from . import choices, looks, sliders, timing
from .code import Call, Rectangle
from .inputs import Chooser

WHERE = {"everywhere": "", "inside a rectangle": "inside", "around a rectangle": "around"}
FALLBACK = "squeezenet"  # what the page starts with if its own networks cannot be loaded
GONE_BACK = "What was chosen before is back."


class Settings(widgets.VBox):
    """Pictures, menus and sliders; `call()` is what they say.

    Args:
        profile: a `Profile`, for everything that a recipe leaves open.
        limit: largest upload, MB.
        changed: called when anything has changed.
        live: called when a control has changed that can change a running walk.
        say: called with a sentence to show.
        idle: function () → True if no run is going, so that the machine may be measured.

    Raises:
        DreamkitError: not even SqueezeNet can be loaded.

    Attributes:
        worked: (what to make, network) that could be loaded last.
    """

    def __init__(self, profile, limit, changed, live, say, idle):
        self.profile, self.changed, self.live, self.say = profile, changed, live, say
        self.idle, self.paces, self.widgets, self.networks = idle, timing.Paces(), {}, {}
        self.photo = Chooser("Photo", "photo", "chelsea", limit, self._picture_changed)
        self.style_picture = Chooser("Style", "style", "night_flow", limit, self._picture_changed)
        self.makes = choices.makes()
        self.menu = widgets.Dropdown(
            options=list(self.makes), description="Make", style=sliders.STYLE, layout=sliders.WIDE
        )
        self.hint = looks.text("", 11)
        names = {name: name for name in choices.networks()}
        self.network = widgets.Dropdown(
            options=[("what suits this machine", ""), *names.items()],
            description="Network", style=sliders.STYLE, layout=sliders.WIDE,
        )  # fmt: skip
        self.few, self.many = widgets.VBox(), widgets.VBox()
        self.more = widgets.ToggleButton(
            description="More controls", tooltip="Show or hide the other controls",
            layout={"width": "auto", "margin": "6px 0", "align_self": "flex-start"},
        )  # fmt: skip
        self._build_area()
        self.folded = widgets.VBox([self.many, self._hinted_network(), self.area])
        looks.show(self.folded, False)
        self._shown, self.worked = [], (self.menu.value, FALLBACK)
        self.menu.observe(self._make_changed, "value")
        self.network.observe(self._make_changed, "value")
        self.more.observe(lambda change: looks.show(self.folded, change["new"]), "value")
        super().__init__(
            [
                looks.heading("1. Choose the pictures"),
                looks.row(self.photo, self.style_picture),
                looks.heading("2. Choose what to make"),
                self.menu,
                self.hint,
                self.few,
                self.more,
                self.folded,
            ]
        )
        self._make_changed()

    # What is chosen

    @property
    def make(self):
        return self.makes[self.menu.value]

    def values(self):
        """{argument: value} of everything that decides the picture but the pictures themselves."""
        values = dict(self.make.fixed)
        for control, widget in self._shown:
            values[control.keyword] = sliders.value_of(widget)
        if "quality" in self.make.keywords and values.get("style_layers"):
            values["style_layers"] = self._shares(values["style_layers"])
        for keyword, default in self.make.keywords.items():
            if keyword == "octaves" and default is None:
                values.setdefault(keyword, self.profile.octaves)
        return values

    def _shares(self, layers):
        """{style layer: weight}: each counts as much as when all of them are chosen."""
        network = next(iter(self.networks.values()))
        shares = quality.falling(network.architecture.style_layers)
        return {name: shares[name] for name in layers}

    def call(self):
        """The `Call` that the page describes: without what is the recipe's own default."""
        keywords = self.make.keywords
        values = {k: v for k, v in self.values().items() if v != keywords[k]}
        sources = {"content": self.photo, "image": self.photo, "style": self.style_picture}
        pictures = {name: sources[name].source for name in self.make.pictures}
        return Call(self.make, pictures | values | self.network_names(), self.rectangle())

    def network_names(self):
        """{argument: name of the network}."""
        dreams = self.make.recipe in ("deep_dream", "visualise")
        own = {
            keyword: self.profile.dream_backbone
            if dreams or keyword.startswith("dream")
            else self.profile.style_backbone
            for keyword in self.make.networks
        }
        return dict.fromkeys(own, self.network.value) if self.network.value else own

    def weights(self):
        """{term or "balance": weight} for a running walk."""
        return choices.weights(self.make, self.values())

    def rectangle(self):
        """The `Rectangle` where the picture may change, or None for everywhere."""
        if not self.where.value or not self.make.masks:
            return None
        return Rectangle(self.columns.value, self.rows.value, self.where.value == "inside")

    def size(self):
        """(height, width) of the picture to be made, px."""
        size = self.values()["size"]
        shape = self.photo.shape if set(self.make.pictures) & {"content", "image"} else (1, 1)
        return timing.picture_size(shape, size)

    def start_picture(self):
        """What the result is compared with: the photo, or else the style, or None."""
        if not self.make.pictures:
            return None
        first = self.style_picture if self.make.pictures == ["style"] else self.photo
        return first.picture(self.values()["size"])

    def stages(self):
        """The run's stages, {} if they are not known."""
        with contextlib.suppress(KeyError, ValueError):
            return timing.stages(self.make, self.values(), self.size(), self.networks)
        return {}

    def estimate(self):
        """The `Estimate` of what is chosen, or None if it has not been measured."""
        return self.paces.estimate(self.make, self.values(), self.size(), self.networks)

    # Remembering and restoring

    def remember(self):
        """Everything that is set, for `restore`."""
        return {
            "pictures": (self.photo.source, self.style_picture.source),
            "menus": (self.menu.value, self.network.value),
            "where": (self.where.value, self.columns.value, self.rows.value),
            "controls": {key: widget.value for key, widget in self.widgets.items()},
        }

    def restore(self, remembered):
        """Set everything as it was."""
        for chooser, source in zip(
            (self.photo, self.style_picture), remembered["pictures"], strict=True
        ):
            chooser.choose(source)
        self._choose(*remembered["menus"])
        self.where.value, self.columns.value, self.rows.value = remembered["where"]
        for key, value in remembered["controls"].items():
            self.widgets[key].value = value

    # When something changes

    def _make_changed(self, _=None):
        """Load what is needed, and show the controls; go back if it cannot be loaded."""
        wanted = self.menu.value, self.network.value
        try:
            self.networks = timing.loaded(self.network_names())
        except DreamkitError as error:
            if wanted == self.worked:
                raise  # there is nothing to go back to
            instead = f"The network is {FALLBACK} instead." if not self._shown else GONE_BACK
            self._choose(*self.worked)
            self.say(f"{error} {instead}", alarm=True)
            return
        self.worked = wanted
        self._show_make()

    def _choose(self, make, network):
        """Set both menus, and only then load what they say."""
        for menu, value in ((self.menu, make), (self.network, network)):
            menu.unobserve(self._make_changed, "value")
            menu.value = value
            menu.observe(self._make_changed, "value")
        self._make_changed()

    def _show_make(self):
        """Show the controls of what is to be made."""
        make = self.make
        self.hint.value = looks.spoken(make.hint, 11)
        looks.show(self.photo, bool(set(make.pictures) & {"content", "image"}))
        looks.show(self.style_picture, "style" in make.pictures)
        looks.show(self.area, bool(make.masks))
        size, why = self._own_size()
        self._shown = [(control, self._widget(control)) for control in choices.controls(make)]
        shown = {control.keyword: widget for control, widget in self._shown}
        if why and shown["size"].value > size:
            shown["size"].value = size
            self.say(why)
        hinted = [(control, sliders.with_hint(control, widget)) for control, widget in self._shown]
        self.few.children = [box for control, box in hinted if not control.more]
        self.many.children = [box for control, box in hinted if control.more]
        self._limit_channels()
        self.changed()

    def _own_size(self):
        """The size to start at, and why: by VGG-19's pace at first, then by the networks' own."""
        names = [network.name for network in self.networks.values()]
        if self.idle():
            rough, _ = timing.own_size(names, self.profile.size)
            size = timing.picture_size(self.photo.shape, rough)
            self.paces.measure(self.make, self.networks, size)
        own = self.paces.seconds(self.make, self.networks)
        return timing.own_size(names, self.profile.size, own=own)

    def _widget(self, control):
        """The widget of a control, made when it is first needed."""
        make, options = self.make, None
        key = control.keyword, control.label, make.recipe
        if isinstance(control.options, str):
            network = next(iter(self.networks.values()))
            architecture = network.architecture
            if control.options == "layers":
                layers = [*architecture.dream_layers, *architecture.style_layers]
                options = {name: name for name in layers}
            elif control.options == "photo layers":
                layers = [*architecture.style_layers, *architecture.content_layers]
                own = quality.choice("best", network).content_layers[0]
                options = {own: None} | {name: name for name in layers if name != own}
            else:
                options = list(getattr(architecture, control.options))
            key = (*key, network.name)
        if key not in self.widgets:
            value = choices.default(control, make, self.profile)
            widget = sliders.build(control, value, options)
            widget.observe(self._live_changed if control.live else self._changed, "value")
            self.widgets[key] = widget
        return self.widgets[key]

    def _changed(self, _):
        self._limit_channels()
        self.changed()

    def _limit_channels(self):
        """Let the slider of channels end with the layer's last one."""
        shown = {control.keyword: widget for control, widget in self._shown}
        if "layer" in shown and isinstance(shown["channel"], widgets.IntSlider):
            network = next(iter(self.networks.values()))
            outputs = network.model.get_layer(shown["layer"].value).output
            shown["channel"].max = outputs.shape[-1] - 1

    def _live_changed(self, _):
        self.live()
        self.changed()

    def _picture_changed(self):
        self._draw_area()
        self.changed()

    def _hinted_network(self):
        hint = looks.text("Larger networks make finer pictures, and take longer.", 11)
        return widgets.VBox([self.network, hint])

    # The rectangle

    def _build_area(self):
        shared = dict(min=0, max=100, style=sliders.STYLE, layout=sliders.WIDE)
        self.where = widgets.Dropdown(
            options=list(WHERE.items()), description="Where", style=sliders.STYLE,
            layout=sliders.WIDE,
        )  # fmt: skip
        self.columns = widgets.IntRangeSlider(value=(25, 75), description="Across, %", **shared)
        self.rows = widgets.IntRangeSlider(value=(25, 75), description="Down, %", **shared)
        self.view = looks.Picture("The part of the photo that may change", most="150px")
        self.rectangle_box = widgets.VBox([self.columns, self.rows, self.view])
        hint = looks.text("Where the picture may change; the rest stays the photo.", 11)
        self.area = widgets.VBox([self.where, hint, self.rectangle_box])
        for widget in (self.where, self.columns, self.rows):
            widget.observe(self._area_changed, "value")
        self._draw_area()

    def _area_changed(self, _):
        self._draw_area()
        self.changed()

    def _draw_area(self):
        """Draw the photo, pale where it stays as it is."""
        looks.show(self.rectangle_box, bool(self.where.value))
        if not self.where.value:
            return
        photo = resize(self.photo.picture(), 150)
        rectangle = Rectangle(self.columns.value, self.rows.value, self.where.value == "inside")
        mask = resize(rectangle.mask(), photo.shape[:2])
        self.view.show(photo * mask + (0.25 * photo + 0.75) * (1 - mask))

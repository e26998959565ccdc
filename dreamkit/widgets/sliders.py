"""The controls as widgets: each with its label, its hint and its value."""

import ipywidgets as widgets

from . import looks
from .choices import LIVE

WIDE = widgets.Layout(width="98%", max_width="440px")
STYLE = {"description_width": "105px"}
OPEN = ""  # stands for None, which a menu would show as no choice at all


def build(control, value, options=None):
    """The widget of a control, with its value.

    Args:
        control: a `Control`.
        value: what it starts from.
        options: {name: value} of a menu that depends on the network.
    """
    shared = dict(description=control.label, layout=WIDE, style=STYLE)
    if control.kind == "slider":
        whole = all(float(number).is_integer() for number in (control.low, control.step, value))
        whole = whole and control.step >= 1
        kind = widgets.IntSlider if whole else widgets.FloatSlider
        number = int if whole else float
        limits = dict(min=number(min(control.low, value)), max=number(max(control.high, value)))
        if not whole:
            shared["readout_format"] = ".3g" if control.step < 0.01 else ".2f"
        return kind(number(value), step=number(control.step), **limits, **shared)
    if control.kind == "weight":
        numbers = sorted({*control.options, value})
        choices = [(f"{number:g}", number) for number in numbers]
        return widgets.SelectionSlider(options=choices, value=value, **shared)
    if control.kind == "box":
        return widgets.Checkbox(bool(value), **shared)
    if control.kind == "menu":
        choices = control.options if options is None else options
        choices = {name: OPEN if given is None else given for name, given in choices.items()}
        value = value if value in choices.values() else next(iter(choices.values()))
        return widgets.Dropdown(options=list(choices.items()), value=value, **shared)
    return widgets.SelectMultiple(
        options=list(options), value=tuple(options), rows=min(5, len(options)), **shared
    )


def with_hint(control, widget):
    """A control with its hint below."""
    hint = f"{control.hint} Changes the running picture {LIVE}." if control.live else control.hint
    return widgets.VBox([widget, looks.text(hint, 11)], layout={"margin": "0 0 6px 0"})


def value_of(widget):
    """What a control is set to; None for what is left open, and for a choice of all layers."""
    if widget.value == OPEN:
        return None
    if isinstance(widget, widgets.SelectMultiple):
        everything = len(widget.value) in (0, len(widget.options))
        return None if everything else list(widget.value)
    if isinstance(widget, widgets.FloatSlider):
        return float(f"{widget.value:.4g}")
    return widget.value

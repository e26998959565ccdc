"""Curves of a run's terms as it walks: small drawings that a browser shows at once."""

import html
import math

from ..plots import COLOURS, LABELS

WIDTH, HEIGHT = 300, 44  # px of each curve
NEITHER = "#CC79A7"  # for a term that has no colour of its own


def curves(rows, starts=()):
    """HTML with one curve for each term, its name and its value now.

    Args:
        rows: [{term: value}, …], one for each step.
        starts: numbers of the rows at which another size or method begins.

    >>> "style" in curves([{"style": 2.0}, {"style": 1.0}])
    True
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "".join(_curve(name, [row.get(name) for row in rows], starts) for name in names)


def _curve(name, values, starts):
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return ""
    label, colour = LABELS.get(name, name), COLOURS.get(name, NEITHER)
    wish = "higher is what we want" if name == "dream" else "lower is what we want"
    title = html.escape(f"{label}: {known[-1]:.3g} now, {known[0]:.3g} at the start; {wish}")
    return (
        f'<div><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}"'
        f' preserveAspectRatio="none" style="width:100%;height:{HEIGHT}px;display:block">'
        f"{_marks(starts, len(values))}{_lines(values, known, colour)}</svg>"
        f'<div style="font-size:12px;margin-bottom:6px"><b style="border-left:10px solid {colour};'
        f'padding-left:5px">{html.escape(label)}</b> {known[-1]:.3g} · {wish}</div></div>'
    )


def _lines(values, known, colour):
    """The curve, broken where the term was not scored."""
    low, high = min(known), max(known)
    across = WIDTH / max(1, len(values) - 1)
    down = (HEIGHT - 6) / ((high - low) or 1)
    text, part = "", []
    for number, value in enumerate([*values, None]):
        if value is not None and math.isfinite(value):
            part.append(f"{number * across:.1f},{HEIGHT - 3 - (value - low) * down:.1f}")
        elif part:
            text += f'<polyline points="{" ".join(part)}" fill="none" stroke="{colour}"'
            text += ' stroke-width="2" vector-effect="non-scaling-stroke"/>'
            part = []
    return text


def _marks(starts, count):
    across = WIDTH / max(1, count - 1)
    mark = '<line x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="%d" stroke="#999" stroke-dasharray="2 3"/>'
    return "".join((mark % HEIGHT).format(number * across) for number in starts)

"""Explorable figures: change a number and see what it does.  (Notebooks 01 to 05.)

Each figure is a page fragment that carries its script and its pictures with it, so it needs no
kernel, no server and no connection: it works in JupyterLab, VS Code and Colab, and in the book
opened from a file. Everything can be done with the keyboard. Where scripts don't run, as on GitHub,
the text says so, and the static figure next to it (`draw`) shows the same.
"""

import base64
import itertools
import json
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent
MIME = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
NO_SCRIPT = "Run this cell, or open the course's book, to try this figure."
_numbers = itertools.count(1)


class Explorable:
    """An interactive figure, which Jupyter displays.

    Args:
        name: of the script in `js/`.
        about: what the figure shows, for those who cannot see it.
        data: what the script gets; lists, numbers and text.

    Introduced in notebook 01.
    """

    def __init__(self, name, about, data):
        self.name, self.about, self.data = name, about, data

    def __repr__(self):
        return f"<an explorable figure: {self.about}>"

    def _repr_html_(self):
        return self.html()

    def html(self):
        """The page fragment, with everything it needs inside it."""
        identity = f"dk-{self.name}-{next(_numbers)}"
        style = (FOLDER / "js" / "figure.css").read_text("utf-8")
        script = "".join(
            (FOLDER / "js" / f"{name}.js").read_text("utf-8") for name in ("common", self.name)
        )
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))
        data = data.replace("</", "<\\/")  # so that no text can end the script
        start = (
            f'const root = document.getElementById("{identity}");\n'
            f"root.replaceChildren();\nkeepKeys(root);\nrender(root, {data});"
        )
        # With data-lm-suppress-shortcuts, JupyterLab leaves the arrow keys to the figure.
        return (
            f'<style>{style}</style>\n<div class="dk-explore" id="{identity}" role="group"'
            f' data-lm-suppress-shortcuts="true" aria-label="{escape(self.about)}">'
            f"<p>{NO_SCRIPT}</p></div>\n"
            f'<script type="module">\n{script}\n{start}\n</script>\n'
        )


def convolution():
    """A convolution by hand, and what a feature of VGG-19 sees of a photo.

    Introduced in notebook 01.

    >>> convolution()
    <an explorable figure: A convolution of 5 × 5 pixels, and a feature's field on a photo>
    """
    data = read_about("photo")
    data["photo"] = _address(data.pop("sheet"))
    about = "A convolution of 5 × 5 pixels, and a feature's field on a photo"
    return Explorable("convolution", about, data)


def gram():
    """A Gram matrix of eight channels, and the places at which any two of them fire.

    Introduced in notebook 02.
    """
    data = read_about("gram")
    data["maps"] = _as_sheet(data)
    data["photo"] = _address(data.pop("picture"))
    return Explorable("gram", "A Gram matrix, and where two channels fire on the picture", data)


def style():
    """Style transfers by content layer, content weight and style weight, made beforehand.

    Introduced in notebook 03.
    """
    about = "A style transfer, for several layers and weights"
    return Explorable("style", about, _as_sheet(read_about("style")))


def dream():
    """A dream with raw, normalised and jittered gradients, step by step, made beforehand.

    Introduced in notebook 04.
    """
    return Explorable("dream", "A dream made in three ways", _as_sheet(read_about("dream")))


def joint(angle=70, ratio=100):
    """Two gradients, the angle between them, and where a balanced step goes.

    Args:
        angle: between the gradients at the start, in degrees.
        ratio: the length of the dream's gradient over the loss's.

    Introduced in notebook 05.
    """
    about = "Two gradients, and the step that goes down one score and up the other"
    return Explorable("joint", about, dict(angle=float(angle), ratio=float(ratio)))


def read_about(name):
    """What a sheet of pictures in data/ shows."""
    return json.loads((FOLDER / "data" / f"{name}.json").read_text("utf-8"))


def _as_sheet(about):
    return about | dict(image=_address(about["sheet"]))


def _address(name):
    """A picture in data/ as an address that holds the picture itself."""
    path = FOLDER / "data" / name
    content = base64.b64encode(path.read_bytes()).decode()
    return f"data:{MIME[path.suffix]};base64,{content}"

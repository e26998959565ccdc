"""Names of files, made from those of photos and styles, that every system accepts."""

import os
import re
import urllib.parse
from pathlib import Path

DEVICES = r"(con|prn|aux|nul|com\d|lpt\d)"  # names that Windows keeps for itself, with any suffix


def plain_name(text):
    """A text as a part of a file's name: without what Windows forbids, and without spaces.

    >>> plain_name("a cat: why?"), plain_name("St. Bernard"), plain_name("nul"), plain_name("..")
    ('a_cat__why_', 'St._Bernard', '_nul', 'picture')
    """
    name = re.sub(r'[\x00-\x20<>:"/\\|?*\x7f]', "_", text).rstrip(".")
    reserved = re.fullmatch(rf"{DEVICES}(\..*)?", name, re.IGNORECASE)
    return f"_{name}" if reserved else name or "picture"


def stem_of(photo):
    """What a result is called after: a file's or an address's name, without its suffix.

    >>> stem_of("my photos/cat.v2.jpg"), stem_of("https://example.org/a%20cat.png?size=3:4")
    ('cat.v2', 'a_cat')
    """
    text = str(photo)
    if text.lower().startswith(("http://", "https://")):
        text = urllib.parse.unquote(urllib.parse.urlsplit(text).path)
    elif text[:5].lower() == "data:":
        text = ""
    return plain_name(Path(text).stem)


def names_a_file(out):
    """True for an --out such as outputs/cat.png; False for a folder such as outputs/run1.5.

    >>> names_a_file(Path("outputs/cat.png")), names_a_file(Path("outputs/run1.5"))
    (True, False)
    """
    return bool(re.fullmatch(r"\.[a-zA-Z]\w*", out.suffix)) and not os.path.isdir(out)

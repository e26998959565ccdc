"""The book's link checker finds broken links."""

import sys

from notebook_tools import ROOT, notebooks

sys.path.insert(0, str(ROOT / "book"))
from check import broken_links


def write(folder, name, body):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<html><body>{body}</body></html>", "utf-8")


def test_intact_links_pass(tmp_path):
    write(tmp_path, "index.html", '<a href="a/b.html#there">b</a> <a href="https://x.org/y">y</a>')
    write(tmp_path, "a/b.html", '<p id="there"><a href="../index.html">up</a> <a href="#there">')
    assert broken_links(tmp_path) == []


def test_broken_links_are_named(tmp_path):
    write(tmp_path, "index.html", '<a href="lost.html"><img src="lost.jpg"><a href="b.html#no">')
    write(tmp_path, "b.html", "")
    assert broken_links(tmp_path) == [
        "index.html: lost.html",
        "index.html: lost.jpg",
        "index.html: b.html#no",
    ]


def test_every_notebook_is_in_the_book():
    contents = "".join(
        (ROOT / "book" / name).read_text("utf-8") for name in ("index.md", "solutions.md")
    )
    for path in notebooks():
        assert f"{path.relative_to(ROOT).with_suffix('').as_posix()}>" in contents

"""python -m dreamkit quiz: the quiz for Moodle, Canvas or paper.  (The page for teachers.)"""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import ImageError, SettingsError


def quiz(
    moodle: Annotated[Path | None, typer.Option(help="A Moodle XML file to write.")] = None,
    canvas: Annotated[Path | None, typer.Option(help="A QTI package (.zip) to write.")] = None,
    page: Annotated[Path | None, typer.Option(help="A Markdown page to write.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist.")
    ] = False,
):
    """Write the course's quiz for Moodle or Canvas, or as a page."""
    from ..grading.export import write_canvas, write_moodle
    from ..grading.quiz import exam_page
    from ..inputs.files import replacing

    chosen = [path for path in (moodle, canvas, page) if path]
    if not chosen:
        raise SettingsError("Nothing to write: give --moodle, --canvas or --page with a file.")
    for path in chosen:
        if path.name in ("", "..") or path.is_dir():
            raise ImageError(f"'{path}' is a folder: give the name of a file in it.")
        if path.exists() and not overwrite:
            raise ImageError(f"{path} already exists: add --overwrite or choose another name.")
    if moodle:
        write_moodle(moodle)
    if canvas:
        write_canvas(canvas)
    if page:
        with replacing(page) as part:
            part.write_text(exam_page(), "utf-8")
    print(*chosen, sep="\n")

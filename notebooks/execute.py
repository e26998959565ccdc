"""Execute the notebooks in place, with the networks that the environment names: `make notebooks`.

    make notebooks                  every notebook and every solutions notebook, in order
    make notebooks ONLY="01 03"     those whose names start so, with their solutions

What is saved is the same on every machine but for the pictures and numbers: no timings, no
versions of the kernel, no progress bars, no log lines, no folders of yours.
"""

import argparse
import os
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from links import ROOT, notebooks

METADATA = {
    "accelerator": "GPU",
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
}
TEXTS = {"text", "text/plain", "text/html"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(path, timeout):
    """Run a notebook top to bottom in a new kernel, and save it with its outputs.

    Raises:
        CellExecutionError: a cell failed; the file is left as it was.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute()
    normalise(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def normalise(notebook):
    """Set the notebook's metadata, and drop from its outputs what differs from run to run."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        tags = [tag for tag in cell.metadata.get("tags", ()) if tag]
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not is_noise(output)]
            for output in cell.outputs:
                hide_folders(output)


def hide_folders(output):
    """Replace this machine's folders in an output's text with names that are true everywhere."""
    folders = {os.environ.get("DREAMKIT_WEIGHTS"): "WEIGHTS", ROOT: "dreamkit", Path.home(): "~"}
    for part in (output, output.get("data", {})):
        for kind in TEXTS & part.keys():
            for folder, name in folders.items():
                if folder and Path(folder) != Path(Path(folder).anchor):
                    part[kind] = part[kind].replace(str(folder), name)


def is_noise(output):
    """True for log lines, and for progress bars, which are widgets that no longer work."""
    return output.get("name") == "stderr" or WIDGET in output.get("data", {})


def main():
    """Execute what is asked for, and print how long each notebook took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="*", help="starts of names, such as 01; all when left out")
    parser.add_argument("--timeout", type=int, default=1800, help="seconds a cell may take")
    options = parser.parse_args()
    paths = [path for path in notebooks() if path.name.startswith(tuple(options.only or [""]))]
    start = time.monotonic()
    for number, path in enumerate(paths, 1):
        name = path.relative_to(ROOT)
        print(f"[{number}/{len(paths)}] {name} …", end=" ", flush=True)
        began = time.monotonic()
        try:
            execute(path, options.timeout)
        except CellExecutionError as error:
            raise SystemExit(f"failed, and left as it was:\n{error}") from None
        size = path.stat().st_size / 1e6
        print(f"{time.monotonic() - began:.0f} s, {size:.2f} MB", flush=True)
    print(f"{len(paths)} notebooks, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()

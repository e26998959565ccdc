"""The notebooks in JupyterLab and Notebook 7: Run All gives no error, and widgets are alive."""

import contextlib
import re

import nbformat
import pytest
from browser import LOAD, TOKEN, missing, serious_faults, server, wait_for

from notebook_tools import PLAYGROUND, cells, load, numbered

if reason := missing("axe_playwright_python"):
    pytest.skip(reason, allow_module_level=True)

pytestmark = pytest.mark.slow
MINUTE = 60_000  # ms
PLACES = {"jupyterlab": "lab/tree", "notebook": "notebooks"}


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """Function (library) → a server with a copy of the notebooks, started when it is needed."""
    started, stack = {}, contextlib.ExitStack()

    def start(library):
        if why := missing(library):
            pytest.skip(why)
        if library not in started:
            folder = tmp_path_factory.mktemp(library)
            for path in numbered():
                nbformat.write(without_outputs(load(path)), folder / path.name)
            arguments = ["-m", library, "--no-browser", "--allow-root", "--port=PORT"]
            arguments += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
            manager = "--MappingKernelManager.cull"  # ends the kernels of pages that are closed
            arguments += [f"{manager}_idle_timeout=15", f"{manager}_interval=5"]
            started[library] = stack.enter_context(server(arguments, folder))
            started[library].folder = folder
        return started[library]

    with stack:
        yield start


def without_outputs(notebook):
    """A notebook as if it had never run, so that whatever is in it later is new."""
    for cell in cells(notebook, "code"):
        cell.outputs, cell.execution_count = [], None
    return notebook


def run_all(process, library, name, chromium):
    """The page of a notebook after Run All, when all of its cells have run."""
    page = chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    address = f"http://127.0.0.1:{process.port}/{PLACES[library]}/{name}?reset&token={TOKEN}"
    page.goto(address, timeout=LOAD)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=LOAD)
    page.wait_for_timeout(3000)  # until the kernel has been chosen
    page.get_by_role("menuitem", name="Run", exact=True).click(timeout=LOAD)
    page.locator("li[data-command='runmenu:run-all']").first.click(timeout=MINUTE)

    def all_have_run():
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        try:
            saved = load(process.folder / name)
        except ValueError:  # it is being written
            return False
        counts = [cell.execution_count for cell in cells(saved, "code")]
        return counts == list(range(1, len(counts) + 1))

    wait_for(all_have_run, 600)
    return page


def outputs(path):
    """What the cells of a saved notebook gave."""
    return [output for cell in cells(load(path), "code") for output in cell.outputs]


@pytest.mark.parametrize(
    ("library", "path"),
    [*(("jupyterlab", path) for path in numbered()), ("notebook", PLAYGROUND)],
    ids=lambda value: getattr(value, "stem", value),
)
def test_run_all_gives_no_error_and_the_playground_is_alive(jupyter, chromium, library, path):
    process = jupyter(library)
    page = run_all(process, library, path.name, chromium)
    assert "error" not in {output.output_type for output in outputs(process.folder / path.name)}
    if path == PLAYGROUND:
        button = page.locator("button.jupyter-button", has_text=re.compile("^Run$"))
        button.scroll_into_view_if_needed()
        button.click()
        page.get_by_text(re.compile("^Done in")).wait_for(timeout=2 * MINUTE)
        page.get_by_role("slider", name="Style weight").wait_for(timeout=MINUTE)
        assert not serious_faults(page, ".dreamkit-playground")  # the rest is Jupyter's own
    page.context.close()

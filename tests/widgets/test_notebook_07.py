"""Notebook 07 in JupyterLab and Notebook 7: Run All gives no error, and its widgets are alive."""

import re
import shutil

import pytest
from browser import LOAD, TOKEN, missing, server

from notebook_tools import PLAYGROUND, cells, load, notebooks

if reason := missing():
    pytest.skip(reason, allow_module_level=True)

pytestmark = pytest.mark.slow
MINUTE = 60_000  # ms
SERVERS = {"lab": ("jupyterlab", "lab/tree"), "notebook": ("notebook", "notebooks")}


def run_all(path, kind, folder, chromium):
    """A notebook's page after Run All, when no cell waits or runs any more."""
    page = chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.goto(f"{folder.address}/{SERVERS[kind][1]}/{path.name}?token={TOKEN}", timeout=LOAD)
    page.get_by_role("menuitem", name="Run", exact=True).click(timeout=LOAD)
    page.get_by_role("menuitem", name=re.compile("Run All Cells$|^Run All Cells")).first.click()
    count = len(cells(load(path), "code"))
    page.get_by_text(re.compile(rf"^\[{count}\]:$")).last.wait_for(timeout=10 * MINUTE)
    return page


@pytest.fixture(scope="module", params=list(SERVERS))
def jupyter(request, tmp_path_factory):
    library, _ = SERVERS[request.param]
    if why := missing(library):
        pytest.skip(why)
    folder = tmp_path_factory.mktemp(request.param)
    for path in notebooks():
        shutil.copy(path, folder)
    arguments = ["-m", library, "--no-browser", "--allow-root", "--port=PORT"]
    arguments += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    with server(arguments, folder) as process:
        process.kind, process.address = request.param, f"http://127.0.0.1:{process.port}"
        yield process


def test_run_all_gives_a_playground_that_works(jupyter, chromium):
    page = run_all(PLAYGROUND, jupyter.kind, jupyter, chromium)
    assert page.locator(".jp-RenderedText[data-mime-type*=stderr]").count() == 0
    assert page.locator("[data-mime-type*=error]").count() == 0
    page.get_by_role("button", name="Run", exact=True).last.scroll_into_view_if_needed()
    page.get_by_role("button", name="Run", exact=True).last.click()
    page.get_by_text(re.compile(r"^Done in")).wait_for(timeout=2 * MINUTE)
    page.context.close()

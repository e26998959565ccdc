"""The explorable figures: whole, correct, and usable with the keyboard alone in a real browser."""

import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import numpy as np
import pytest

from dreamkit.networks.architectures import ARCHITECTURES
from dreamkit.networks.receptive_field import Geometry
from dreamkit.widgets import explore
from dreamkit.widgets.explore.stills import tiles
from notebook_tools import ROOT, load

FIGURES = ["convolution", "gram", "style", "dream", "joint"]
EVERY = pytest.mark.parametrize("name", FIGURES)


@EVERY
def test_a_figure_needs_nothing_but_itself(name):
    html = getattr(explore, name)().html()
    addresses = set(re.findall(r"https?://[^\"' )]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # a name, which nobody fetches
    assert not re.search(r"\bimport\b[ (]|\bfetch\(|<link|src=\"(?!data:)", html)
    assert html.count("</script>") == 1


@EVERY
def test_a_figure_without_scripts_says_what_to_do(name):
    html = getattr(explore, name)().html()
    assert "<p>Run this cell, or open the course's book" in html
    assert "<noscript>" not in html  # which GitHub would drop


def test_two_figures_on_a_page_have_names_of_their_own():
    first, second = (re.search(r'id="([^"]+)"', explore.joint().html())[1] for _ in range(2))
    assert first != second


def test_the_fields_are_those_of_vgg19():
    fields = Geometry(ARCHITECTURES["vgg19"].build()).fields
    for layer in explore.convolution().data["layers"]:
        assert {name: layer[name] for name in fields[layer["name"]]._fields} == (
            fields[layer["name"]]._asdict()
        )


def test_the_sheets_have_a_picture_for_every_setting():
    pictures, about = tiles("style")
    assert len(pictures) == len(about["layers"]) * len(about["contents"]) * len(about["styles"])
    pictures, about = tiles("dream")
    assert len(pictures) == len(about["ways"]) * len(about["sizes"]) * len(about["steps"])
    pictures, about = tiles("gram")
    assert len(pictures) == len(about["channels"])


def test_the_strips_show_what_they_claim_to():
    """More style moves a picture further from the photo; more steps move a dream further."""
    pictures, about = tiles("style")
    grid = pictures.reshape(len(about["layers"]), len(about["contents"]), len(about["styles"]), -1)
    strongly_held = grid[:, -1]
    change = np.abs(strongly_held - strongly_held[:, :1]).mean(-1)
    assert np.all(np.diff(change, axis=1) > 0)
    pictures, about = tiles("dream")
    frames = pictures.reshape(len(about["ways"]), len(about["sizes"]), len(about["steps"]), -1)
    change = np.abs(frames - frames[:, :, :1]).mean(-1)
    assert np.all(np.diff(change, axis=2) > 0)


@pytest.mark.parametrize("name", ["01_what_a_network_sees", "02_gram_matrices"])
def test_a_notebook_holds_its_figure_as_a_page_fragment(name):
    found = [
        output["data"]["text/html"]
        for cell in load(f"{name}.ipynb").cells
        if cell.cell_type == "code" and cell.source.rstrip().endswith(("convolution()", "gram()"))
        for output in cell.outputs
    ]
    assert len(found) == 1
    assert 'class="dk-explore"' in found[0]


# In a browser, without a mouse


@pytest.fixture(scope="module")
def browser():
    """Chromium, or a skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("there is no Chromium here")
    with playwright.sync_playwright() as session:
        started = session.chromium.launch(executable_path=path)
        yield started
        started.close()


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens a figure as a file and returns the page; errors fail the test."""
    errors = []

    def open_figure(figure, width=1280):
        path = tmp_path / "figure.html"
        path.write_text(f"<!doctype html><meta charset=utf-8>{figure.html()}", "utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        requests = []
        page.goto(path.as_uri())
        page.wait_for_selector(".dk-explore :is(canvas, svg)")
        assert all(url.startswith(("file:", "data:")) for url in requests)
        return page

    yield open_figure
    assert errors == []


def readout(page, number=0):
    return page.locator(".dk-sum").nth(number).text_content()


def tab_to(page, selector):
    """Press Tab until an element that matches has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({json.dumps(selector)})"):
            return
    raise AssertionError(f"Tab never reaches {selector}")


@pytest.mark.slow
def test_the_arithmetic_of_a_convolution_follows_the_arrow_keys(opened):
    page = opened(explore.convolution())
    tab_to(page, ".dk-table[aria-label^='feature map'] button")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert readout(page).startswith("row 1, column 3: −1·2 + 0·2 + 1·0 − 1·2")
    assert readout(page).endswith("= −6")
    tab_to(page, ".dk-explore canvas")
    before = readout(page, 1)
    page.keyboard.press("ArrowLeft")
    assert "Field 16 + (3 − 1) · 4 = 24 px" in before
    row, column = (int(n) for n in re.search(r"\((\d+), (\d+)\)", before).groups())
    assert f"feature ({row}, {column - 1})" in readout(page, 1)


@pytest.mark.slow
def test_an_entry_of_the_gram_matrix_is_the_mean_of_the_products(opened):
    page = opened(explore.gram())
    maps, about = tiles("gram")
    tab_to(page, ".dk-gram button")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    first, second = (about["channels"][k] for k in (1, 3))
    expected = 100 * np.mean(maps[1] * maps[3])
    found = re.search(rf"G\({first}, {second}\) = ([\d.]+)", readout(page))
    assert float(found[1]) == pytest.approx(expected, abs=0.006)


@pytest.mark.slow
def test_the_balanced_step_follows_the_sliders(opened):
    page = opened(explore.joint(angle=60))
    tab_to(page, "input[aria-label^='angle']")
    for _ in range(6):
        page.keyboard.press("ArrowLeft")  # to 30°
    tab_to(page, "input[aria-label^='balance']")
    for _ in range(3):
        page.keyboard.press("ArrowRight")  # to 2
    cosine = np.cos(np.radians(30))
    loss, score = (float(n.replace("−", "-")) for n in re.findall(r"\(([−\d.]+)\)", readout(page)))
    assert loss == pytest.approx(-(1 - 2 * cosine), abs=0.006)
    assert score == pytest.approx(2 - cosine, abs=0.006)
    assert "The loss rises" in readout(page)
    assert "score rises" in readout(page)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["style", "dream"])
def test_another_setting_shows_another_picture(opened, name):
    page = opened(getattr(explore, name)())
    picture = "document.querySelector('.dk-explore canvas').toDataURL()"
    tab_to(page, "input[type=range]")
    before = page.evaluate(picture)
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(picture) != before


@pytest.mark.slow
@EVERY
def test_a_figure_fits_a_phone(opened, name):
    page = opened(getattr(explore, name)(), width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.slow
def test_the_saved_notebook_can_be_touched_in_jupyterlab(browser, tmp_path):
    """In a notebook that is run, the figure works as it does in the book."""
    cell = nbformat.v4.new_code_cell("from dreamkit.widgets import explore\nexplore.joint()")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "figure.ipynb")
    options = ["--no-browser", "--port=0", "--IdentityProvider.token=", "--allow-root"]
    options += [f"--ServerApp.root_dir={tmp_path}", "--ServerApp.disable_check_xsrf=True"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter", "lab", *options],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=_environment(tmp_path),
    )
    try:
        lines = iter(server.stderr.readline, "")
        address = next(m[0] for line in lines if (m := re.search(r"http://localhost:\d+", line)))
        page = browser.new_page()
        page.goto(f"{address}/lab/tree/figure.ipynb")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90_000)
        for _ in range(20):  # a key pressed while JupyterLab still starts is lost
            page.locator(".jp-CodeCell .cm-content").first.click()
            page.keyboard.press("Shift+Enter")
            page.wait_for_timeout(5000)
            if page.locator(".dk-explore svg").count():
                break
        before = readout(page)
        page.locator("input[aria-label^='angle']").focus()
        page.keyboard.press("ArrowRight")
        assert readout(page) != before
    finally:
        server.terminate()
        server.wait(20)


def _environment(folder):
    return os.environ | {"PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(folder / "config")}

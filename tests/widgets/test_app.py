"""The playground as a web page, used in a real browser as a visitor would."""

import io
import re

import numpy as np
import psutil
import pytest
from browser import LOAD, TOKEN, missing, serious_faults, server, wait_for
from PIL import Image

import dreamkit as dk

if reason := missing("voila", "axe_playwright_python"):
    pytest.skip(reason, allow_module_level=True)

MINUTE = 60_000  # ms
NAME = "(e => e.ariaLabel || e.labels?.[0]?.innerText || e.innerText)(document.activeElement)"
HERE = re.compile(r"(data:|blob:|(http|ws)://127\.0\.0\.1:)")
SERVE = "from dreamkit.commands.app import serve; serve(port=PORT, token={!r}, upload=1, away=15)"


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """The app, with one place to run, uploads of up to 1 MB, and 5 s of patience."""
    with server(["-c", SERVE.format(TOKEN)], tmp_path_factory.mktemp("app")) as process:
        process.elsewhere = []
        yield process


@pytest.fixture(autouse=True)
def elsewhere(app):
    """No page of the app may ask another machine for anything: it has to work without a network."""
    yield
    assert not app.elsewhere


@pytest.fixture(scope="module")
def visitor(app, chromium):
    return arrive(app, chromium)


def open_page(app, chromium, **options):
    """An empty page; addresses that leave this machine are written down."""

    def note(request):
        if not HERE.match(request.url):
            app.elsewhere.append(request.url)

    page = chromium.new_context(**options).new_page()
    page.on("request", note)
    page.on("websocket", note)
    return page


def arrive(app, chromium, **options):
    """A visitor of their own, with the page open and ready."""
    page = open_page(app, chromium, viewport={"width": 1280, "height": 1400}, **options)
    page.goto(f"http://127.0.0.1:{app.port}/?token={TOKEN}", timeout=LOAD)
    button(page, "Run").wait_for(timeout=LOAD)
    page.get_by_role("slider", name="Steps").wait_for(timeout=MINUTE)
    return page


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def says(page, text):
    """Wait until the page says something."""
    page.get_by_text(re.compile(text)).first.wait_for(timeout=MINUTE)


def run(page):
    button(page, "Run").click()
    says(page, r"^Done in")


def offer(page, number, name, content):
    """Upload a file as the photo (0) or the style (1)."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile("Your own")).nth(number).click()
    chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": content})


def shown(page):
    """The address of the large picture, which holds its data."""
    return page.get_by_alt_text(re.compile("^The picture,")).get_attribute("src")


def png(side):
    pixels = np.random.default_rng(1).integers(0, 255, (side, side, 3), "uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


def kernels(app):
    """The processes that belong to visitors."""
    children = psutil.Process(app.pid).children(recursive=True)
    return [child for child in children if "ipykernel" in " ".join(command(child))]


def command(process):
    """The words that started a process; [] if it has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_without_the_token_nobody_gets_in(app, chromium):
    page = open_page(app, chromium)
    for address in ("/", "/?token=wrong", "/voila/files/playground.ipynb", "/api/kernels"):
        page.goto(f"http://127.0.0.1:{app.port}{address}")
        assert button(page, "Run").count() == 0
    page.context.close()


def test_a_visitor_uploads_runs_compares_saves_and_reads_the_code(visitor, tmp_path):
    offer(visitor, 0, "mine.png", png(80))
    says(visitor, "^80 × 80 px$")
    run(visitor)
    after = shown(visitor)
    visitor.get_by_role("slider", name="Before").press("End")
    wait_for(lambda: shown(visitor) != after, 20)
    button(visitor, "Show me the code").click()
    assert '"mine.png",' in visitor.get_by_label("The code").inner_text()
    button(visitor, "Save").click()
    with visitor.expect_download(timeout=MINUTE) as download:
        visitor.get_by_role("link", name="Download the picture").click()
    assert download.value.suggested_filename == "mine-paint.png"
    download.value.save_as(tmp_path / "mine.png")
    photo = dk.load_image(png(80), 96)  # given as bytes, so the settings hold no source
    again = dk.rerun(tmp_path / "mine.png", content=photo, progress=False)
    saved = dk.load_image(tmp_path / "mine.png")
    assert np.abs(again.image - saved).mean() < 0.01


def test_a_bad_upload_is_one_sentence_and_changes_nothing(visitor):
    offer(visitor, 1, "letter.png", b"Dear all")
    says(visitor, r"letter\.png is not a picture we can read")
    offer(visitor, 1, "huge.png", png(800))
    says(visitor, r"huge\.png has 2 MB, more than the 1 MB allowed")
    run(visitor)


def test_a_visitor_pauses_goes_on_changes_a_weight_stops_and_undoes(visitor):
    before = shown(visitor)
    visitor.get_by_role("slider", name="Steps").press("End")
    button(visitor, "Run").click()
    says(visitor, "^Style 1/1, step")
    assert button(visitor, "Run").is_disabled()
    button(visitor, "Pause").click()
    says(visitor, "^Paused after step")
    button(visitor, "Go on").click()
    visitor.get_by_role("slider", name="Style weight").press("End")
    says(visitor, "^Style 1/1, step")
    visitor.wait_for_timeout(1000)
    button(visitor, "Stop").click()
    says(visitor, "^Stopped after")
    button(visitor, "Show me the code").click()
    code = visitor.get_by_label("The code").inner_text()
    assert "'style': 1000.0" in code.replace("1000}", "1000.0}")
    assert "'stop'" in code
    assert shown(visitor) != before
    button(visitor, "Undo").click()
    says(visitor, "^This is the picture before")
    wait_for(lambda: shown(visitor) == before, 20)


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 1280),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in
          (("dark", 1280), ("light", 390), ("dark", 390))),
    ],
)  # fmt: skip
def test_no_serious_fault_hinders_a_screen_reader_or_the_keyboard(visitor, scheme, width):
    visitor.emulate_media(color_scheme=scheme)
    visitor.set_viewport_size({"width": width, "height": 1400})
    button(visitor, "More controls").click()
    visitor.get_by_role("slider", name="Smoothness").wait_for(timeout=MINUTE)
    assert not serious_faults(visitor)
    button(visitor, "More controls").click()
    visitor.emulate_media(color_scheme="light")
    visitor.set_viewport_size({"width": 1280, "height": 1400})


@pytest.mark.slow
def test_the_focus_goes_through_the_page_from_top_to_bottom(visitor):
    visitor.get_by_label("Photo", exact=True).focus()
    places = []
    for _ in range(8):
        visitor.keyboard.press("Tab")
        places.append(visitor.evaluate(NAME))
    assert "Style" in places[1] or "Style" in places[2]
    assert any("Strength" in (place or "") for place in places)


@pytest.mark.slow
def test_it_fits_a_phone(visitor):
    visitor.set_viewport_size({"width": 390, "height": 844})
    visitor.wait_for_timeout(300)
    widest = visitor.evaluate(
        "Math.max(...[...document.querySelectorAll('.jupyter-widgets, img, h1, h3')]"
        ".map(e => e.getBoundingClientRect()).filter(r => r.width).map(r => r.right))"
    )
    assert widest <= 390
    visitor.set_viewport_size({"width": 1280, "height": 1400})


@pytest.mark.slow
def test_two_visitors_take_turns_and_one_who_leaves_makes_room(app, visitor, chromium):
    other = arrive(app, chromium)
    assert len(kernels(app)) == 2
    assert other.get_by_alt_text(re.compile("^Picture")).count() == 0  # sees nobody's pictures
    visitor.get_by_role("slider", name="Steps").press("End")
    visitor.get_by_role("slider", name="Size").press("End")
    button(visitor, "Run").click()
    says(visitor, "^Style 1/2, step")
    button(other, "Run").click()
    says(other, "You are number 1 in the queue")
    visitor.context.close()  # in the middle of the run
    says(other, r"^Done in")
    assert len(kernels(app)) == 1
    other.close(run_before_unload=True)  # closed as a person would: the page says goodbye
    wait_for(lambda: not kernels(app), 30)

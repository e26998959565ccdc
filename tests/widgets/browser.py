"""A browser, and servers for it to visit, on this machine only."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time

from notebook_tools import ROOT

TOKEN = "a-secret-of-the-tests"
LOAD = 240_000  # ms that a page may take until it is ready: TensorFlow starts first
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


def missing(*libraries):
    """Why the tests in a browser cannot run, or None."""
    if CHROMIUM is None:
        return "there is no Chromium"
    for library in ("playwright", *libraries):
        try:
            __import__(library)
        except ImportError:
            return f"{library} is not installed"
    return None


@contextlib.contextmanager
def browser():
    """A Playwright browser, closed in the end."""
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


def serious_faults(page, context=None):
    """[(rule, HTML)] of what hinders a screen reader or the keyboard, in a page or a part of it."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, context).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    return [(each["id"], node["html"]) for each in serious for node in each["nodes"]]


@contextlib.contextmanager
def server(arguments, folder, **environment):
    """A server in a process of its own; gives the process. PORT in the arguments is a free port."""
    port = free_port()
    command = [sys.executable, *(text.replace("PORT", str(port)) for text in arguments)]
    own = {"DREAMKIT_PROFILE": "ci", "PYTHONPATH": str(ROOT)}
    own |= {"JUPYTER_CONFIG_DIR": str(folder / "jupyter")}  # not the tabs that its owner left open
    variables = os.environ | own | environment
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        process.port = port
        wait_for(lambda: process.poll() is not None or answers(port), 180)
        assert process.poll() is None, (folder / "server.log").read_text()
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(port):
    """True if something listens at a port."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, seconds):
    """Wait until a condition is true; fails if it isn't by then."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)

"""python -m dreamkit app: who may come in, and whose memory is freed."""

import asyncio
import contextlib
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dreamkit.commands.app import ARRIVING, Visitors, addresses, write_notebook, write_templates
from notebook_tools import ROOT


class Kernels:
    """Stands for Jupyter's kernel manager."""

    def __init__(self, connections):
        self.connections = connections

    def list_kernel_ids(self):
        return list(self.connections)

    def kernel_model(self, kernel):
        return {"connections": self.connections[kernel]}

    async def shutdown_kernel(self, kernel, now):
        del self.connections[kernel]


def test_visitors_who_have_left_are_freed_and_those_here_or_arriving_are_not():
    kernels, now = Kernels({"here": 1, "left": 1, "arriving": 0}), [0.0]
    visitors = Visitors(kernels, away=60, clock=lambda: now[0])

    def look(seconds):
        now[0] = seconds
        asyncio.run(visitors.free_abandoned())
        return set(kernels.connections)

    assert look(0) == {"here", "left", "arriving"}
    kernels.connections["left"] = 0
    assert look(59) == {"here", "left", "arriving"}
    assert look(61) == {"here", "arriving"}
    assert look(ARRIVING + 1) == {"here"}
    kernels.connections["here"] = 0  # a moment without a connection
    assert look(ARRIVING + 50) == {"here"}
    kernels.connections["here"] = 1
    assert look(ARRIVING + 500) == {"here"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_page_for_the_network_has_an_address_for_here_and_one_for_other_machines(host):
    here, others = addresses(host, 8866, "secret")
    assert here in ("http://127.0.0.1:8866/?token=secret", "http://[::1]:8866/?token=secret")
    found = urlsplit(others)
    assert found.port == 8866
    assert parse_qs(found.query) == {"token": ["secret"]}
    with contextlib.suppress(ValueError):  # or a name
        assert not ipaddress.ip_address(found.hostname).is_unspecified
        assert not ipaddress.ip_address(found.hostname).is_loopback


def test_without_a_network_other_machines_are_given_this_ones_name(monkeypatch):
    def refuse(*_):
        raise OSError("Network is unreachable")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.gethostname", lambda: "classroom")
    assert addresses("0.0.0.0", 80, "x")[1] == "http://classroom:80/?token=x"


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("box.local", "box.local")]
)
def test_a_page_for_one_address_is_at_that_address(host, expected):
    assert addresses(host, 81, "t") == [f"http://{expected}:81/?token=t"]


@pytest.mark.parametrize("token", ["", "secret"])
def test_the_readmes_ending_makes_any_address_dark(token):
    (ending,) = re.findall(r"`(&\w+=\w+)` at the end of the address", readme())
    (address,) = addresses("127.0.0.1", 8866, token)
    found = urlsplit(address + ending)
    assert (found.path, parse_qs(found.query)["theme"]) == ("/", ["dark"])


def readme():
    return (ROOT / "README.md").read_text("utf-8")


def test_a_page_that_anyone_could_reach_needs_a_token(command):
    code, _, err = command("app", "--host", "0.0.0.0", "--token", "")
    assert code == 2
    assert "--token" in err
    assert err.count("\n") == 1


def test_without_voila_one_sentence_says_what_to_install(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "voila.app", None)
    code, _, err = command("app")
    assert code == 2
    assert err == "dreamkit: The app needs Voilà: run `pip install voila`.\n"


def test_the_page_is_a_notebook_of_one_cell_with_the_limits(tmp_path):
    notebook = json.loads(write_notebook(tmp_path, upload=3.0, runs=2).read_text("utf-8"))
    (cell,) = notebook["cells"]
    compile(cell["source"], "page", "exec")
    assert "limit=3.0" in cell["source"]
    assert "runs=2" in cell["source"]
    assert str(tmp_path / "queue") in cell["source"]


def test_the_templates_load_nothing_from_elsewhere_and_are_otherwise_the_same(tmp_path):
    paths = pytest.importorskip("voila.paths", reason="Voilà is not installed")
    installed = paths.collect_template_paths(["voila", "nbconvert"], "lab", prune=True)
    own = write_templates(tmp_path, installed)
    link = '<link rel="stylesheet" href="https://'
    page = Path(installed[0], "index.html.j2").read_text("utf-8")
    assert link in page  # or there is no need for templates of our own
    ours = (own / "index.html.j2").read_text("utf-8")
    assert ours == re.sub(f"{link}[^>]*>", "", page)
    assert not [file for file in own.rglob("*.html*") if link in file.read_text("utf-8")]
    assert (own / "voila/templates/base/page.html").is_file()


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_the_dockerfile_does_what_the_makefile_does():
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    outside_make = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}

    def would_run(*arguments):
        command = ["make", "--always-make", "--dry-run", "--no-print-directory", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=outside_make, capture_output=True, text=True, check=True
        ).stdout

    (setup,) = re.findall(r"^RUN make (\S+)$", dockerfile, re.MULTILINE)
    (serve,) = re.findall(r"^CMD (.+)$", dockerfile, re.MULTILINE)
    make, *arguments = json.loads(serve)
    assert make == "make"
    served = would_run(*arguments)
    assert would_run(setup) in served  # the app needs nothing that the image lacks
    (port,) = re.findall(r"^EXPOSE (\d+)$", dockerfile, re.MULTILINE)
    assert f'-m dreamkit app --host "0.0.0.0" --port "{port}"' in served

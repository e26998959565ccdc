"""Set-up that the tests, the doctests and the notebooks share."""

import contextlib
import ipaddress
import os
import re
import signal
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest

os.environ.setdefault("DREAMKIT_PROFILE", "ci")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("MPLBACKEND", "agg")

if "PYTEST_XDIST_WORKER" in os.environ:  # a process for each core, so one thread for each process
    for library in ("TF_NUM_INTRAOP", "TF_NUM_INTEROP", "OPENBLAS_NUM"):
        os.environ.setdefault(f"{library}_THREADS", "1")


def pytest_configure(config):
    # A shell that starts us in the background makes us ignore Ctrl-C, which some tests press.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _loaded():
    """SqueezeNet prints once where its weights are from: here, so that no example prints it."""
    import dreamkit as dk

    dk.load_backbone("squeezenet")


# No network but loopback: whatever a test starts must work without one, and contact nobody.

NOWHERE = "http://127.0.0.1:9"  # a proxy that refuses, for pip and others that tests start
OFFLINE = {f"{kind}_proxy": NOWHERE for kind in ("http", "https", "all")}
OFFLINE |= {"no_proxy": "localhost,127.0.0.1,::1"}
OFFLINE |= {name.upper(): value for name, value in OFFLINE.items()}
_offline = False


class NetworkBlocked(OSError):
    """A test tried to reach another machine."""


def _is_here(host):
    if host in (None, "", "localhost", socket.gethostname()) or host in _own_addresses:
        return True
    host = host.decode() if isinstance(host, bytes) else host
    try:
        return ipaddress.ip_address(host).is_loopback or ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _refuse_network(event, arguments):
    """Python calls this before each use of a socket, whichever library wants it."""
    if not _offline or not event.startswith("socket."):
        return
    if event == "socket.getaddrinfo":
        place = arguments[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        inet = arguments[0].family in (socket.AF_INET, socket.AF_INET6)
        connects = event == "socket.connect" and arguments[0].type == socket.SOCK_DGRAM
        if not inet or connects or not arguments[1]:  # connecting a UDP socket sends nothing
            return
        place = arguments[1][0]
    else:
        return
    if not _is_here(place):
        raise NetworkBlocked(f"this test may not use the network: {place}")


_own_addresses = set()
with contextlib.suppress(OSError):  # Dask may speak to this machine by its own address
    _own_addresses.update(info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None))
sys.addaudithook(_refuse_network)


@contextlib.contextmanager
def _no_network():
    global _offline
    before = {name: os.environ.get(name) for name in OFFLINE}
    os.environ.update(OFFLINE)
    _offline = True
    try:
        yield
    finally:
        _offline = False
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Set-up, test and fixtures alike are offline, unless the test is marked `network`."""
    allowed = item.get_closest_marker("network")
    with contextlib.nullcontext() if allowed else _no_network():
        return (yield)


# What was tried, and held: `make test-all` prints a table of it.

TRIED = "tried: "  # what these counts are called among a test's properties, which xdist passes on
FIGURES = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
_tried, _held = Counter(), Counter()


@pytest.fixture
def tried(record_property):
    """Function (what, count=1): this test tries that many of them, such as "mutated pictures"."""
    return lambda what, count=1: record_property(TRIED + what, int(count))


def pytest_runtest_logreport(report):
    if report.when != "call":
        return
    for name, count in report.user_properties:
        if name.startswith(TRIED):
            _tried[name.removeprefix(TRIED)] += count
            _held[name.removeprefix(TRIED)] += count * report.passed


def table_of_the_tried():
    """A Markdown table of what was tried and what held; a test that fails counts as none held."""
    rows = [f"| {what} | {count:,} | {_held[what]:,} |" for what, count in sorted(_tried.items())]
    return "\n".join(["| what | tried | held |", "|---|---:|---:|", *rows])


def pytest_addoption(parser):
    parser.addoption("--figures", help="a Markdown file to write the table of what was tried into")


def pytest_terminal_summary(terminalreporter, config):
    if not _tried:
        return
    terminalreporter.section("what was tried, and held")
    terminalreporter.write_line(table_of_the_tried())
    if name := config.getoption("--figures"):
        text = Path(name).read_text("utf-8")
        filled = FIGURES.sub(rf"\1\n{table_of_the_tried()}\n\n\2", text)
        Path(name).write_text(filled, "utf-8")

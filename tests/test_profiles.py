"""Profiles: the one requested, or the one that suits the machine."""

import functools
import http.server
import itertools
import os
import threading
import time
import urllib.error

import numpy as np
import pytest

from dreamkit import profile, profiles
from dreamkit.errors import SettingsError
from dreamkit.networks import pace, weights


@pytest.fixture
def machine(bare, monkeypatch):
    """Function that simulates a machine: the weights it has, a GPU, a connection."""

    def pretend(at_hand=(), gpu=False, connected=False, rate=3.7e11):
        monkeypatch.setattr(weights, "available_offline", lambda name: name in at_hand)
        monkeypatch.setattr(profiles, "_gpu", lambda: gpu)
        monkeypatch.setattr(profiles, "_connected", lambda: connected)
        monkeypatch.setattr(pace, "products_per_second", lambda: rate)

    return pretend


@pytest.mark.parametrize(
    ("name", "style", "dream", "size"),
    [
        ("paper", "vgg19", "inception_v3", 512),
        ("offline", "vgg19", "vgg19", 320),
        ("quick", "squeezenet", "squeezenet", 320),
        ("ci", "squeezenet", "squeezenet", 96),
    ],
)
def test_a_profile_can_be_chosen_by_name(bare, name, style, dream, size):
    chosen = profile(name)
    assert (chosen.name, chosen.size) == (name, size)
    assert (chosen.style_backbone, chosen.dream_backbone) == (style, dream)


def test_the_environment_names_the_profile(bare, monkeypatch):
    monkeypatch.setenv("DREAMKIT_PROFILE", "ci")
    assert profile().name == "ci"


def test_the_argument_takes_precedence_over_the_environment(bare, monkeypatch):
    monkeypatch.setenv("DREAMKIT_PROFILE", "ci")
    assert profile("offline").name == "offline"


@pytest.mark.parametrize("name", [None, "auto"])
@pytest.mark.parametrize(
    ("facts", "chosen", "reason"),
    [
        (dict(at_hand=("vgg19", "inception_v3")), ("paper", 256), "about 38 s"),
        (dict(at_hand=("vgg19", "inception_v3"), rate=3.1e11), ("paper", 256), "150 steps"),
        (dict(at_hand=("vgg19", "inception_v3"), rate=2.7e11), ("paper", 256), "about 39 s"),
        (dict(at_hand=("vgg19", "inception_v3"), rate=2.6e11), ("quick", 320), "about 41 s"),
        (dict(at_hand=("vgg19",)), ("offline", 256), "about 29 s"),
        (dict(at_hand=("vgg19",), rate=2.7e11), ("offline", 256), "about 39 s"),
        (dict(at_hand=("vgg19",), rate=2.6e11), ("quick", 320), "about 41 s"),
        (dict(at_hand=("vgg19",), rate=7.4e11), ("offline", 384), "about 32 s"),
        (dict(at_hand=("vgg19", "inception_v3"), rate=1.85e13), ("paper", 512), "about 3 s"),
        (dict(at_hand=("vgg19",), rate=1.85e11), ("quick", 320), "VGG-19 would take about 58 s"),
        (dict(gpu=True, connected=True, rate=1.85e13), ("paper", 512), "about 3 s"),
        (dict(gpu=True), ("quick", 320), "VGG-19 is missing"),
        (dict(connected=True), ("quick", 320), "VGG-19 is missing"),
        (dict(at_hand=("inception_v3",)), ("quick", 320), "VGG-19 is missing"),
    ],
    ids=str,
)
def test_auto_chooses_what_suits_the_machine_and_says_why(machine, name, facts, chosen, reason):
    machine(**facts)
    found = profile(name)
    assert (found.name, found.size) == chosen
    assert reason in found.reason
    networks = {"paper": ("vgg19", "inception_v3"), "offline": ("vgg19", "vgg19")}
    expected = networks.get(found.name, ("squeezenet", "squeezenet"))
    assert (found.style_backbone, found.dream_backbone) == expected
    assert (
        "DREAMKIT_PROFILE" in found.reason or "python -m dreamkit weights prepare`" in found.reason
    )


@pytest.mark.parametrize("rate", [1e11, 2.5e11, 2.7e11, 3.1e11, 3.6e11, 1e12, 1e14])
def test_a_network_more_on_the_disk_never_costs_another(machine, rate):
    """Inception's dreams may cost steps of a style transfer, but not VGG-19."""
    machine(at_hand=("vgg19",), rate=rate)
    alone = profile()
    machine(at_hand=("vgg19", "inception_v3"), rate=rate)
    both = profile()
    assert both.style_backbone == alone.style_backbone
    assert both.steps >= alone.steps


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SIZE", "1024"), ("STYLE_BACKBONE", "vgg16"), ("DREAM_BACKBONE", "squeezenet")],
)
def test_a_time_is_not_told_for_what_was_not_timed(machine, monkeypatch, capsys, variable, value):
    machine(at_hand=("vgg19", "inception_v3"))
    monkeypatch.setenv(f"DREAMKIT_{variable}", value)
    chosen = profile()
    assert chosen.reason == f"what suits this machine, changed by DREAMKIT_{variable}"
    (line,) = capsys.readouterr().out.splitlines()
    assert value in line
    assert " s here" not in line


@pytest.mark.parametrize(("facts", "reason"), [({}, "is missing"), (dict(rate=1e11), "would take")])
def test_why_vgg19_was_not_chosen_stays_true_when_something_else_changes(
    machine, monkeypatch, facts, reason
):
    machine(at_hand=("vgg19",) if facts else (), **facts)
    monkeypatch.setenv("DREAMKIT_SIZE", "64")
    assert reason in profile().reason


def test_an_empty_variable_is_an_unset_one(machine, monkeypatch):
    machine()
    for name in ("PROFILE", "STYLE_BACKBONE", "DREAM_BACKBONE"):
        monkeypatch.setenv(f"DREAMKIT_{name}", "")
    assert profile().name == "quick"


def test_looking_for_weights_needs_no_connection(bare, monkeypatch):
    monkeypatch.setattr(profiles, "_gpu", lambda: False)
    monkeypatch.setattr(profiles, "_connected", lambda: pytest.fail("tried to connect"))
    monkeypatch.setattr(weights, "available_offline", lambda name: False)
    assert profile().name == "quick"


@pytest.mark.parametrize(("side", "other"), [("style", "dream"), ("dream", "style")])
def test_the_environment_replaces_one_network(bare, monkeypatch, side, other):
    monkeypatch.setenv(f"DREAMKIT_{side.upper()}_BACKBONE", "vgg16")
    chosen = profile("offline")
    assert getattr(chosen, f"{side}_backbone") == "vgg16"
    assert getattr(chosen, f"{other}_backbone") == "vgg19"


def test_one_line_states_the_choice_and_the_reason(machine, capsys):
    machine()
    chosen = profile()
    (line,) = capsys.readouterr().out.splitlines()
    for part in ("quick", "squeezenet", "320 px", chosen.reason):
        assert part in line


def test_quiet_prints_nothing(bare, capsys):
    profile("ci", quiet=True)
    assert capsys.readouterr().out == ""


def test_an_unknown_profile_is_refused_with_the_known_ones(bare, monkeypatch):
    known = "'paper', 'offline', 'quick', 'ci' or 'auto'"
    with pytest.raises(SettingsError, match=f"profile cannot be 'fast': choose {known}"):
        profile("fast")
    monkeypatch.setenv("DREAMKIT_PROFILE", "slow")
    with pytest.raises(SettingsError, match=f"profile cannot be 'slow': choose {known}"):
        profile()


def test_an_unknown_network_in_the_environment_is_refused(bare, monkeypatch):
    monkeypatch.setenv("DREAMKIT_STYLE_BACKBONE", "vgg11")
    with pytest.raises(SettingsError, match=r"DREAMKIT_STYLE_BACKBONE cannot be 'vgg11'.*'vgg19'"):
        profile("offline")


def test_the_environment_sets_the_size(monkeypatch):
    monkeypatch.setenv("DREAMKIT_SIZE", "128")
    assert profile("ci", quiet=True).size == 128
    monkeypatch.setenv("DREAMKIT_SIZE", "large")
    with pytest.raises(SettingsError, match="DREAMKIT_SIZE cannot be 'large'"):
        profile("ci", quiet=True)


class Clock:
    """A clock that advances by so many seconds at every look."""

    def __init__(self, seconds):
        self.now, self.seconds = 0.0, seconds

    def __call__(self):
        self.now += self.seconds
        return self.now


@pytest.mark.parametrize("seconds", [0.001, 0.2])
def test_the_rate_is_products_over_the_seconds_of_the_clock(seconds):
    products = 2 * 4 * (3 * 64 * 128) ** 2  # four layers of the same work, forward and back
    assert pace.measure(Clock(seconds)) == pytest.approx(products / seconds)


def test_vgg19s_products_are_those_of_its_layers_for_style(vgg19):
    layers = vgg19.architecture.style_layers
    convolutions = [x for x in vgg19.extractor(layers).layers if hasattr(x, "kernel_size")]
    each = [np.prod(x.kernel.shape) / vgg19.stride(x.name) ** 2 for x in convolutions]
    assert sum(each) == pace.VGG19


def test_the_measurement_is_made_once_and_kept_for_this_machine(bare, monkeypatch):
    rates = iter([5e10, 7e10])
    monkeypatch.setattr(pace, "measure", lambda: next(rates))
    ask = pace.products_per_second.__wrapped__
    assert [ask(), ask()] == [5e10, 5e10]
    monkeypatch.setattr(pace, "_machine", lambda: "another one")
    assert ask() == 7e10


def test_one_busy_moment_does_not_make_the_machine_a_slow_one():
    """Every other repeat is slow, because something else was running."""
    quiet, products = 0.005, 2 * 4 * (3 * 64 * 128) ** 2
    looks = itertools.cycle([*[10 * quiet] * 5, quiet])  # three looks belong to a repeat

    class Busy(Clock):
        def __call__(self):
            self.seconds = next(looks)
            return super().__call__()

    assert pace.measure(Busy(quiet)) == pytest.approx(products / quiet)


@pytest.fixture
def busy_then_idle(machine, bare, monkeypatch):
    """The first measurement is made on a busy machine; gives how often it was measured."""
    rates, measured = iter([1e11, 7.4e11]), []
    ask = functools.cache(pace.products_per_second.__wrapped__)
    machine(at_hand=("vgg19",))
    monkeypatch.setattr(pace, "products_per_second", ask)
    monkeypatch.setattr(pace, "measure", lambda: measured.append(1) or next(rates))
    assert profile().name == "quick"
    return measured


def test_too_slow_an_hour_ago_is_measured_again(busy_then_idle):
    an_hour_ago = time.time() - 3700
    os.utime(pace.note(), (an_hour_ago, an_hour_ago))
    assert (profile().name, profile().size) == ("offline", 384)
    assert len(busy_then_idle) == 2


def test_too_slow_just_now_is_not_measured_again(busy_then_idle):
    assert profile().name == "quick"
    assert len(busy_then_idle) == 1


def test_what_cannot_be_noted_is_not_measured_again_in_the_same_process(
    busy_then_idle, monkeypatch
):
    an_hour_ago = time.time() - 3700
    os.utime(pace.note(), (an_hour_ago, an_hour_ago))

    def forbid(*_):
        raise PermissionError

    monkeypatch.setattr(pace, "replacing", forbid)
    for _ in range(3):
        assert profile().name == "offline"
    assert len(busy_then_idle) == 2


@pytest.mark.parametrize("text", ["", "[]", '{"x": 1', "null"])
def test_a_damaged_record_of_the_rate_is_measured_again(bare, monkeypatch, text):
    monkeypatch.setattr(pace, "measure", lambda: 5e10)
    file = pace.note()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    assert pace.products_per_second.__wrapped__() == 5e10


def test_a_host_that_refuses_is_a_connection_and_silence_is_none(monkeypatch):
    def refuse(*_, **__):
        raise urllib.error.HTTPError(profiles.HOST, 403, "no", {}, None)

    def fail(*_, **__):
        raise urllib.error.URLError("no route")

    for answer, connected in ((refuse, True), (fail, False)):
        monkeypatch.setattr("urllib.request.OpenerDirector.open", answer)
        assert profiles._connected.__wrapped__() is connected


@pytest.fixture
def proxy(monkeypatch):
    """A proxy on this machine: (its address, a list of what it was asked, the answer's status)."""
    asked, status = [], []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(f"{self.command} {self.path}")
            self.send_response(status[0])
            self.end_headers()

        do_CONNECT = do_HEAD

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib.request._opener", None)  # it keeps the proxies of its first use
    yield f"http://127.0.0.1:{server.server_port}", asked, status
    server.shutdown()
    server.server_close()


def test_the_weights_host_is_asked_through_the_proxy_for_https(proxy, monkeypatch):
    address, asked, status = proxy
    monkeypatch.setenv("HTTPS_PROXY", address)
    status.append(502)  # the proxy has no connection either
    assert not profiles._connected.__wrapped__()
    assert asked == ["CONNECT storage.googleapis.com:443"]


@pytest.mark.parametrize("answer", [200, 403])
def test_a_host_that_a_proxy_reaches_is_a_connection(proxy, monkeypatch, answer):
    address, asked, status = proxy
    monkeypatch.setenv("HTTP_PROXY", address)
    monkeypatch.setattr(profiles, "HOST", "http://weights.invalid/keras/")
    status.append(answer)
    assert profiles._connected.__wrapped__()
    assert asked == ["HEAD http://weights.invalid/keras/"]

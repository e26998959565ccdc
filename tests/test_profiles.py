"""Profiles: the one requested, or the one that suits the machine."""

import pytest

from dreamkit import profile, profiles
from dreamkit.errors import SettingsError
from dreamkit.networks import weights


@pytest.fixture
def machine(bare, monkeypatch):
    """Function that simulates a machine: the weights it has, a GPU, a connection."""

    def pretend(at_hand=(), gpu=False, connected=False):
        monkeypatch.setattr(weights, "available_offline", lambda name: name in at_hand)
        monkeypatch.setattr(profiles, "_gpu", lambda: gpu)
        monkeypatch.setattr(profiles, "_connected", lambda: connected)

    return pretend


@pytest.mark.parametrize(
    ("name", "style", "dream", "size"),
    [
        ("paper", "vgg19", "inception_v3", 512),
        ("offline", "squeezenet", "squeezenet", 320),
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
        (dict(at_hand=("vgg19", "inception_v3")), "paper", "at hand"),
        (dict(gpu=True, connected=True), "paper", "a GPU and a connection"),
        (dict(at_hand=("vgg19",)), "offline", "no GPU"),
        (dict(connected=True), "offline", "no GPU"),
        (dict(gpu=True), "offline", "no connection"),
        (dict(), "offline", "no GPU"),
    ],
    ids=str,
)
def test_auto_chooses_what_suits_the_machine_and_says_why(machine, name, facts, chosen, reason):
    machine(**facts)
    found = profile(name)
    assert found.name == chosen
    assert reason in found.reason


def test_an_empty_variable_is_an_unset_one(machine, monkeypatch):
    machine()
    for name in ("PROFILE", "STYLE_BACKBONE", "DREAM_BACKBONE"):
        monkeypatch.setenv(f"DREAMKIT_{name}", "")
    assert profile().name == "offline"


def test_looking_for_weights_needs_no_connection(bare, monkeypatch):
    monkeypatch.setattr(profiles, "_gpu", lambda: False)
    monkeypatch.setattr(profiles, "_connected", lambda: pytest.fail("tried to connect"))
    assert profile().name == "offline"


@pytest.mark.parametrize(("side", "other"), [("style", "dream"), ("dream", "style")])
def test_the_environment_replaces_one_network(bare, monkeypatch, side, other):
    monkeypatch.setenv(f"DREAMKIT_{side.upper()}_BACKBONE", "vgg16")
    chosen = profile("offline")
    assert getattr(chosen, f"{side}_backbone") == "vgg16"
    assert getattr(chosen, f"{other}_backbone") == "squeezenet"


def test_one_line_states_the_choice_and_the_reason(machine, capsys):
    machine()
    chosen = profile()
    (line,) = capsys.readouterr().out.splitlines()
    for part in ("offline", "squeezenet", "320 px", chosen.reason):
        assert part in line


def test_quiet_prints_nothing(bare, capsys):
    profile("ci", quiet=True)
    assert capsys.readouterr().out == ""


def test_an_unknown_profile_is_refused_with_the_known_ones(bare, monkeypatch):
    known = "'paper', 'offline', 'ci' or 'auto'"
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

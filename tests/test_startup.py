"""Starting TensorFlow: a shared GPU, and a reason that is never swallowed."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dreamkit.startup import grow_memory, tf

ROOT = Path(__file__).parents[1]
AVX = "The TensorFlow library was compiled to use AVX instructions, but these aren't available"


@pytest.fixture
def start(tmp_path):
    """Function (source of a fake tensorflow, code) → the finished process that ran the code."""

    def run(source, code="import dreamkit.startup"):
        (tmp_path / "keras.py").write_text("")
        (tmp_path / "tensorflow.py").write_text(f"import os, signal, sys\n{source}")
        path = os.pathsep.join([str(tmp_path), str(ROOT)])
        return subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
            cwd=tmp_path,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.skipif(os.name != "posix", reason="signals end a process on POSIX only")
@pytest.mark.parametrize("name", ["SIGABRT", "SIGILL", "SIGSEGV", "SIGKILL"])
def test_what_tensorflow_says_before_it_ends_python_reaches_the_terminal(start, name):
    run = start(f'os.write(2, b"{AVX}\\n")\nos.kill(os.getpid(), signal.{name})')
    assert run.returncode == -getattr(signal, name)
    first, second = run.stderr.splitlines()
    assert first == AVX
    assert second.startswith("dreamkit: TensorFlow ended Python while it was starting")


def test_a_long_message_is_not_cut(start):
    run = start("os.write(2, b'x' * 300_000)\nos._exit(3)")
    assert run.returncode == 3
    assert run.stderr.count("x") >= 300_000


def test_chatter_of_a_good_start_is_silent(start):
    fake = """
os.write(2, b"chatter")
from types import SimpleNamespace
config = SimpleNamespace(list_physical_devices=lambda kind: [])
zeros = lambda shape: os.write(2, b"more of it")
"""
    run = start(fake, "import sys, dreamkit.startup; print('ours', file=sys.stderr)")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "ours\n")


BROKEN = """
try:
    raise ImportError("libtensorflow_cc.so.2: cannot open shared object file")
except ImportError:
    os.write(2, b"chatter\\n")
    raise ImportError("Traceback: …\\n\\nFailed to load the native TensorFlow runtime.")
"""


def test_a_broken_install_is_one_plain_sentence_with_its_cause_and_what_to_do(start):
    code = "import dreamkit\ntry: import dreamkit.startup\n"
    code += "except dreamkit.DreamkitError as error: print(error)"
    run = start(BROKEN, code)
    assert run.stderr == "chatter\n"
    expected = "TensorFlow cannot start (ImportError: libtensorflow_cc.so.2: cannot open shared"
    assert run.stdout.startswith(expected)
    assert "pip install -r requirements.txt" in run.stdout


def test_the_command_line_reports_a_broken_install_in_one_line(start):
    code = "import sys; sys.argv = ['dreamkit', 'dream', 'chelsea']; import runpy;"
    run = start(BROKEN, code + "runpy.run_module('dreamkit', run_name='__main__')")
    assert run.returncode == 2
    chatter, line = run.stderr.splitlines()
    assert (chatter, line[:36]) == ("chatter", "dreamkit: TensorFlow cannot start (I")


@pytest.mark.skipif(os.name != "posix", reason="a closed stderr is a POSIX habit")
def test_a_process_without_stderr_can_start(start):
    fake = "from types import SimpleNamespace\nzeros = print\n"
    fake += "config = SimpleNamespace(list_physical_devices=lambda kind: [])"
    run = start(fake, "import os; os.close(2); import dreamkit.startup; print('started')")
    assert run.stdout.endswith("started\n")


# The GPU's memory


class Config:
    """A stand-in for `tf.config`, with TensorFlow's own rules for its GPUs."""

    def __init__(self, gpus=2, growth=None, logical=None, running=False):
        self.gpus = [f"GPU:{number}" for number in range(gpus)]
        self.growth, self.logical, self.running = growth or {}, logical or {}, running
        self.experimental = self

    def list_physical_devices(self, kind):
        return self.gpus

    def get_memory_growth(self, gpu):
        return self.growth.get(gpu)

    def get_logical_device_configuration(self, gpu):
        return self.logical.get(gpu)

    def set_memory_growth(self, gpu, enable):
        if gpu in self.logical:
            raise ValueError("Cannot set memory growth on device when virtual devices configured")
        if self.running:
            raise RuntimeError("Physical devices cannot be modified after being initialized")
        self.growth[gpu] = enable


@pytest.fixture
def grown(monkeypatch):
    """Function (a `Config`) → {GPU: growth} after `grow_memory`."""
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)

    def grow(config):
        grow_memory(SimpleNamespace(config=config))
        return config.growth

    return grow


def test_all_gpus_grow(grown):
    assert grown(Config()) == {"GPU:0": True, "GPU:1": True}
    assert grown(Config(gpus=0)) == {}


@pytest.mark.parametrize(
    "earlier",
    [
        dict(growth={"GPU:0": False}),
        dict(growth={"GPU:1": True}),
        dict(logical={"GPU:1": ["half of it"]}),
        dict(running=True),
    ],
    ids=str,
)
def test_an_earlier_choice_is_respected(grown, earlier):
    assert grown(Config(**earlier)) == earlier.get("growth", {})


@pytest.mark.parametrize("value", ["true", "false"])
def test_the_variable_decides(grown, monkeypatch, value):
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", value)
    assert grown(Config()) == {}


def test_tensorflows_own_config_has_what_the_stand_in_has():
    assert tf.config.list_physical_devices("GPU") is not None
    for name in ("get_memory_growth", "set_memory_growth"):
        assert callable(getattr(tf.config.experimental, name))
    assert tf.config.get_logical_device_configuration(tf.config.list_physical_devices()[0]) is None

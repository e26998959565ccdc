"""Where the work is done, how much memory is free there, and which precision is fastest there."""

import os
from types import SimpleNamespace

import psutil
import pytest

from dreamkit import Dream, SettingsError, estimate, load_backbone
from dreamkit.commands import doctor
from dreamkit.large.memory import GIB, SHARE, fit_to_memory, memory_limit
from dreamkit.large.tiles import Tiled
from dreamkit.networks import devices, pace, precision
from dreamkit.networks.architectures import ARCHITECTURES
from dreamkit.networks.devices import card_memory, device_memory
from dreamkit.startup import tf
from dreamkit.system import processor as processor_facts

HAS_BFLOAT16 = precision.has_bfloat16.__wrapped__  # without its memory
T4 = {"device_name": "Tesla T4", "compute_capability": (7, 5)}


@pytest.fixture
def card(monkeypatch):
    """Function that simulates a GPU: what TensorFlow and the driver say about it."""

    def pretend(
        details=T4, total=15, free=15, current=0, peak=0, growth=True, limit=None, driver=True
    ):
        device = SimpleNamespace(name="/physical_device:GPU:0", device_type="GPU")
        own = tf.config.get_visible_devices

        def visible(kind=None):
            return [device] if kind == "GPU" else own(kind)

        logical = limit and [SimpleNamespace(memory_limit=limit)]
        taken = {"current": int(current * GIB), "peak": int(peak * GIB)}
        for target, name, answer in (
            (tf.config, "get_visible_devices", visible),
            (tf.config, "get_logical_device_configuration", lambda _: logical),
            (tf.config.experimental, "get_device_details", lambda _: details),
            (tf.config.experimental, "get_memory_info", lambda _: taken),
            (tf.config.experimental, "get_memory_growth", lambda _: growth),
        ):
            monkeypatch.setattr(target, name, answer)
        answer = (int(total * GIB), int(free * GIB)) if driver else None
        monkeypatch.setattr(devices, "card_memory", lambda name: answer)
        monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
        monkeypatch.setattr(precision, "has_bfloat16", HAS_BFLOAT16)

    return pretend


# Memory


def test_without_a_gpu_it_is_the_main_memory():
    memory = device_memory()
    assert memory.free == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    assert memory.used == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert not memory.on_gpu


@pytest.mark.parametrize(
    ("facts", "free"),
    [
        (dict(free=14), 14),
        (dict(free=9, current=1, peak=5), 13),  # TensorFlow holds 5 and uses 1 of them
        (dict(free=0.3, current=2, peak=2, growth=None), 0.9 * 15 - 2),  # it took all at once
        (dict(free=14, current=1, peak=1, limit=4096), 3),
        (dict(free=0.1, current=15, peak=15, growth=None), 0),
    ],
    ids=str,
)
def test_on_a_gpu_it_is_the_cards_memory(card, facts, free):
    card(**facts)
    memory = device_memory()
    assert memory.free / GIB == pytest.approx(free, abs=0.01)
    assert memory.used == facts.get("current", 0) * GIB
    assert memory.on_gpu


def test_the_variable_for_growth_counts(card, monkeypatch):
    card(free=3, growth=None)
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    assert device_memory().free == 3 * GIB
    card(free=3, growth=True)
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    assert device_memory().free == pytest.approx(0.9 * 15 * GIB)


def test_a_gpu_whose_driver_is_silent_shares_the_main_memory(card):
    card(details={"device_name": "METAL"}, driver=False)
    assert not device_memory().on_gpu


def test_a_gpu_without_statistics_shares_the_main_memory(card, monkeypatch):
    def refuse(_):
        raise ValueError("Allocator stats not available for device")

    card()
    monkeypatch.setattr(tf.config.experimental, "get_memory_info", refuse)
    assert not device_memory().on_gpu


ANSWER = "Tesla T4, 15360, 14914\nTesla T4, 15360, 1024\nNVIDIA A100-SXM4, 40960, 40000\n"


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for nvidia-smi is a shell script")
@pytest.mark.parametrize(
    ("answer", "name", "expected"),
    [
        (ANSWER, "Tesla T4", (15360 << 20, 1024 << 20)),
        (ANSWER, "NVIDIA A100-SXM4", (40960 << 20, 40000 << 20)),
        (ANSWER, "Tesla V100", None),
        ("NVIDIA GB10, [N/A], [N/A]\n", "NVIDIA GB10", None),
        ("nonsense\n", "Tesla T4", None),
    ],
    ids=str,
)
def test_the_drivers_own_tool_is_asked(monkeypatch, tmp_path, answer, name, expected):
    (tmp_path / "answer").write_text(answer)
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {tmp_path}/answer\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert card_memory(name) == expected
    assert "name,memory.total,memory.free" in (tmp_path / "asked").read_text()


def test_without_the_drivers_tool_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert card_memory("Tesla T4") is None


def test_tiles_go_by_the_gpus_memory(card, squeezenet):
    dream = Dream(squeezenet)
    card(total=80, free=80)
    assert memory_limit() == SHARE * 80 * GIB  # more than a CPU's limit
    assert not isinstance(fit_to_memory(dream, (2048, 2048)), Tiled)
    card(free=2)
    assert fit_to_memory(dream, (2048, 2048)).side == 1024


def test_a_warning_names_the_gpu(card, squeezenet):
    card(free=1)
    with pytest.warns(UserWarning, match=r"only 1\.0 GiB are free on the GPU: choose tile"):
        fit_to_memory(Dream(squeezenet), (2048, 2048), None)


def test_an_estimate_counts_the_gpus_memory(card):
    card(free=12, current=1, peak=3)
    found = estimate("dream", 96, "squeezenet", steps=1, octaves=1)
    assert (found.gib, found.free, found.on_gpu) == (3, 14, True)
    assert "3.0 GiB of 14.0 GiB free on the GPU, whole" in str(found)


def test_the_doctor_names_the_gpu_and_its_free_memory(card):
    card(free=14)
    assert "Tesla T4 (float16), 14.0 GiB free" in doctor.machine_table()


# Precision


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ((9, 0), "bfloat16"),
        ((8, 0), "bfloat16"),
        ((7, 5), "float16"),
        ((7, 0), "float16"),
        ((6, 1), "float32"),
        (None, "float32"),
    ],
)
def test_a_gpus_generation_decides_the_precision(card, vgg19, squeezenet, capability, expected):
    card(details={"device_name": "a card", "compute_capability": capability})
    assert precision.fastest_precision() == expected
    assert vgg19.with_precision("auto").precision == expected
    assert squeezenet.with_precision("auto").precision == "float32"  # half precision does not pay


def test_the_pace_is_kept_for_each_card(card):
    card()
    one = pace._machine()
    card(details={"device_name": "NVIDIA L4", "compute_capability": (8, 9)})
    assert "Tesla T4" in one
    assert "NVIDIA L4" in pace._machine()


LIMITS = {
    "SSE41": False,
    "AVX": False,
    "AVX2": False,
    "avx2": False,
    "AVX2_VNNI": False,
    "AVX2_VNNI_2": False,
    "AVX512_CORE": False,
    "AVX512_CORE_VNNI": False,
    "AVX512_CORE_BF16": True,
    "AVX512_CORE_FP16": True,
    "AVX512_CORE_AMX": True,
    "AVX512_CORE_AMX_FP16": True,
    "AVX10_1_512_AMX": True,
    "ALL": True,
    "": True,
}


@pytest.fixture
def processor(monkeypatch, tmp_path):
    """Function (flags, **environment) → whether a processor with these flags has bfloat16."""

    def has_bfloat16(flags="avx2 avx512f avx512_bf16 amx_bf16", **environment):
        monkeypatch.setattr(precision, "gpu", lambda: None)
        monkeypatch.setattr(processor_facts, "CPUINFO", tmp_path / "cpuinfo")
        (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
        for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"):
            monkeypatch.setenv(name, "")  # so that its end restores what there was
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return HAS_BFLOAT16()

    return has_bfloat16


@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_on_onednns_instructions_may_forbid_bfloat16(processor, name, limit):
    assert processor(**{name: limit}) is LIMITS[limit]
    assert not processor("avx2", **{name: limit})


def test_the_newer_name_of_the_limit_takes_precedence(processor):
    assert processor(ONEDNN_MAX_CPU_ISA="AVX512_CORE_AMX", DNNL_MAX_CPU_ISA="AVX2")
    assert not processor(ONEDNN_MAX_CPU_ISA="AVX2", DNNL_MAX_CPU_ISA="AVX512_CORE_AMX")


def test_without_onednn_there_is_no_bfloat16(processor):
    assert not processor(TF_ENABLE_ONEDNN_OPTS="0")
    assert processor(TF_ENABLE_ONEDNN_OPTS="1")


@pytest.mark.parametrize("limit", ["AVX2", "sse41"])
def test_bfloat16_that_onednn_would_refuse_is_refused_in_a_sentence(monkeypatch, limit):
    monkeypatch.setattr(precision, "gpu", lambda: None)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    with pytest.raises(SettingsError, match=f"ONEDNN_MAX_CPU_ISA={limit} rules .*give 'float32'"):
        load_backbone("squeezenet").with_precision("bfloat16")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")  # slower, but it works
    assert load_backbone("squeezenet").with_precision("bfloat16").precision == "bfloat16"


def test_the_doctor_says_what_forbids_bfloat16(monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert "but ONEDNN_MAX_CPU_ISA=AVX2 forbids it" in doctor.machine_table()


def test_only_large_networks_benefit_from_half_precision():
    pays = {name for name, architecture in ARCHITECTURES.items() if architecture.half_pays}
    assert pays == {"vgg19", "vgg16", "inception_v3"}
    assert load_backbone("squeezenet").with_precision("auto").precision == "float32"

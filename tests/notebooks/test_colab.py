"""On Colab, the set-up cell installs dreamkit and leaves Colab's own packages alone."""

import json
import os
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from notebook_tools import ROOT, cells, load

# The session, under IPython: a fake module stands for Colab, and the cell runs unchanged.
SESSION = """\
import importlib.metadata, importlib.util, json, sys, types
from pathlib import Path

def versions():
    return {name: importlib.metadata.version(name) for name in ("tensorflow", "keras", "numpy")}

sys.modules["google.colab"] = types.ModuleType("google.colab")
spec = importlib.util.find_spec("dreamkit")  # an editable one leaves a folder of data, no code
report = {"importable before": spec is not None and spec.origin is not None}
report["before"] = versions()
get_ipython().run_cell(Path("setup.py.txt").read_text("utf-8")).raise_error()
report["after"] = versions()
report["dreamkit"] = dk.__file__
report["size"] = P.size
report["samples"] = len(dk.samples())
Path("report.json").write_text(json.dumps(report), "utf-8")
"""


@pytest.fixture(scope="module")
def colab(tmp_path_factory):
    """(folder, Python) of a new environment with this one's packages except dreamkit."""
    folder = tmp_path_factory.mktemp("colab")
    venv.create(folder / "env", with_pip=False, symlinks=os.name != "nt")
    # Python doesn't process .pth files in a folder that a .pth file adds, so the one that makes
    # dreamkit editable has no effect.
    own = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "env")}))
    (own / "colab.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return folder, Path(sysconfig.get_path("scripts", vars={"base": str(folder / "env")}), "python")


@pytest.fixture
def index(colab, tmp_path):
    """Skip without a package index, which building dreamkit needs for hatchling."""
    _, python = colab
    get = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", tmp_path, "hatchling"]
    done = subprocess.run([*get, "--timeout", "5", "--retries", "0"], capture_output=True)
    if done.returncode:
        pytest.skip("no connection to a package index")


@pytest.mark.network
@pytest.mark.usefixtures("index")
@pytest.mark.slow  # pip builds and installs the package
def test_the_set_up_cell_installs_dreamkit_and_nothing_else(colab):
    folder, python = colab
    (setup,) = cells(load("00_start_here.ipynb"), "code", "setup")
    (folder / "setup.py.txt").write_text(setup.source, "utf-8")
    (folder / "session.ipy").write_text(SESSION, "utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DREAMKIT_")}
    clean.pop("PYTHONPATH", None)
    clean |= {"DREAMKIT_SOURCE": str(ROOT), "DREAMKIT_PROFILE": "ci", "MPLBACKEND": "agg"}
    done = subprocess.run(
        [python, "-m", "IPython", "--colors=nocolor", "session.ipy"],
        cwd=folder,
        env=clean | {"IPYTHONDIR": str(folder / "ipython")},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (folder / "report.json").is_file(), done.stdout + done.stderr
    report = json.loads((folder / "report.json").read_text("utf-8"))
    assert not report["importable before"]
    assert report["dreamkit"].startswith(str(folder)), "the installed one, not the checkout"
    assert report["before"] == report["after"]
    assert report["size"] == 96
    assert report["samples"] > 10  # the data are installed too
    assert "ERROR" not in done.stdout + done.stderr
    installed = Path(report["dreamkit"]).parents[1].glob("*.dist-info")
    assert [path.name.split("-")[0] for path in installed] == ["neural_style_and_deep_dream"]

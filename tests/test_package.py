"""The package as a whole: quick to import, quiet, documented, layered and installable."""

import ast
import graphlib
import importlib.metadata
import inspect
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import dreamkit
from dreamkit.startup import quiet_start

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib = None

ROOT = Path(__file__).parents[1]
DISTRIBUTION = "neural-style-and-deep-dream"
PACKAGE = ROOT / "dreamkit"

# Layers of the package, from the bottom up: a module imports only from the layers below its own.
# A subpackage's name covers all its modules, among which there are no circular imports.
LAYERS = [
    ["errors"],
    ["system"],
    ["startup"],
    ["inputs"],
    ["images"],
    ["arguments"],
    ["controls", "controls.colour"],
    ["film.reel"],
    ["film.recording", "film.reading"],
    ["networks"],
    ["gram", "objectives", "profiles", "sums", "controls.transforms", "canvas"],
    ["distributions"],
    ["terms", "gradients"],
    ["balanced", "dream", "controls.masks", "controls.quality"],
    ["controls.paintings"],
    ["large"],
    ["runs"],
    ["optimize"],
    ["octaves"],
    ["controls.texture", "controls.visualisation"],
    ["recipes"],
    ["film"],
    ["runs.reproduce"],
    ["plots", "batch"],
    ["study", "exercises"],
    ["commands.estimate"],
    ["grading", "widgets"],
    ["commands"],
    ["__main__"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def python(code, **environment):
    """Run code in a fresh process; the result holds its stdout and stderr."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=True,
    )


# Quick and quiet


def quickest(code, tries=5):
    seconds = []
    for _ in range(tries):
        started = time.perf_counter()
        python(code)
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def test_import_takes_less_than_half_a_second():
    assert quickest("import dreamkit") < quickest("pass") + 0.5


def test_import_loads_none_of_the_slow_libraries():
    slow = {"tensorflow", "keras", "pandas", "matplotlib", "scipy", "skimage", "PIL", "typer"}
    loaded = python("import dreamkit, sys; print(*sys.modules)").stdout.split()
    assert not slow & set(loaded)


def test_starting_tensorflow_is_silent_and_stderr_works_afterwards():
    code = "import sys, dreamkit; dreamkit.load_backbone('squeezenet')"
    run = python(f"{code}; print('ours', file=sys.stderr)")
    assert run.stderr == "ours\n"
    assert run.stdout.count("\n") == 1


def fail_to_start():
    with quiet_start():
        os.write(2, b"the reason\n")
        raise ImportError


def test_a_failed_start_shows_its_messages(capfd):
    with pytest.raises(ImportError):
        fail_to_start()
    assert capfd.readouterr().err == "the reason\n"


def test_a_successful_start_is_silent(capfd):
    with quiet_start():
        os.write(2, b"chatter\n")
    os.write(2, b"ours\n")
    assert capfd.readouterr().err == "ours\n"


# Names and docstrings


@pytest.mark.parametrize("name", sorted(dreamkit.__all__))
def test_every_public_name_exists_and_says_where_it_is_introduced(name):
    value = getattr(dreamkit, name)
    own, module = inspect.getdoc(value), inspect.getdoc(sys.modules[value.__module__])
    assert own
    assert len(own.splitlines()[0]) > 20
    assert ">>>" in own or re.search(r"[Nn]otebooks? \d\d", own + module)


def test_dir_lists_all_public_names():
    assert set(dreamkit.__all__) <= set(dir(dreamkit))


def test_the_version_is_the_installed_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+", dreamkit.__version__)
    assert importlib.metadata.version(DISTRIBUTION) == dreamkit.__version__


# The layers


def modules():
    """{dotted name: file} of every module but `__init__`s."""
    paths = {path.relative_to(PACKAGE).with_suffix(""): path for path in PACKAGE.rglob("*.py")}
    return {".".join(name.parts): path for name, path in paths.items() if name.name != "__init__"}


def imports(name, path):
    """Dotted names of dreamkit's modules that a module imports, anywhere in it."""
    known, package, found = set(modules()), name.split(".")[:-1], set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = package[: len(package) - node.level + 1] + (node.module or "").split(".")
        base = ".".join(part for part in base if part)
        inside = {f"{base}.{alias.name}".lstrip(".") for alias in node.names}
        found |= ({base} | inside) & known
    return found


def layered_name(name):
    """A module's name if it has a layer of its own, else its subpackage's."""
    return name if name in LEVEL else name.split(".")[0]


def test_every_module_has_a_layer():
    assert set(map(layered_name, modules())) <= set(LEVEL)


# The only places where the lesson (the modules in the root) imports a subpackage; besides, every
# public function may have its arguments checked.
ALLOWED = {
    "startup": {"system"},
    "images": {"inputs"},
    "terms": {"networks"},
    "dream": {"networks"},
    "profiles": {"networks", "system"},
    "optimize": {"controls", "large", "runs"},
    "octaves": {"runs"},
    "recipes": {"controls", "large", "networks", "runs"},
    "__main__": {"commands"},
}


@pytest.mark.parametrize("name", sorted(name for name in modules() if "." not in name))
def test_the_lesson_imports_few_subpackages(name):
    found = {other.split(".")[0] for other in imports(name, modules()[name]) if "." in other}
    assert found <= ALLOWED.get(name, set()) | {"arguments"}


def lines(path):
    return len(path.read_text("utf-8").splitlines())


def test_the_lesson_can_be_read_in_an_evening():
    assert sum(map(lines, PACKAGE.glob("*.py"))) <= 2900
    assert max(map(lines, PACKAGE.rglob("*.py"))) <= 400


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_imports_only_from_layers_below(name):
    own = layered_name(name)
    for other in map(layered_name, imports(name, modules()[name])):
        assert other == own or LEVEL[other] < LEVEL[own], other


def test_there_are_no_circular_imports():
    graph = {name: imports(name, path) for name, path in modules().items()}
    order = graphlib.TopologicalSorter(graph)
    assert list(order.static_order())


# Requirements


def bounds(requirements):
    """{package: lower bound}."""
    pairs = (re.match(r"([\w-]+)>=([\d.]+)", text.strip()) for text in requirements)
    return {pair[1]: pair[2] for pair in pairs if pair}


def requirement_lines():
    lines = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.skipif(tomllib is None, reason="Python 3.10 has no tomllib")
def test_the_package_and_the_requirements_agree_on_lower_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    package = bounds([*project["dependencies"], *(text for extra in extras for text in extra)])
    assert len(package) == len(project["dependencies"]) + sum(map(len, extras))
    course = bounds(requirement_lines())
    assert package.items() <= course.items()


def test_every_requirement_has_its_lower_bound_and_its_reason():
    for line in requirement_lines():
        requirement, _, reason = line.partition("#")
        assert ">=" in requirement or requirement.strip() == "-e .", line
        assert "==" not in requirement, line
        assert reason.strip(), line


def test_every_requirement_is_in_the_lock_at_or_above_its_bound():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    for name, bound in bounds(requirement_lines()).items():
        locked = re.findall(rf"^{re.escape(name)}==([\d.]+)", lock, re.MULTILINE)
        assert locked, f"{name} is not in requirements.lock"
        for version in locked:
            assert as_numbers(version) >= as_numbers(bound)


def as_numbers(version):
    return [int(part) for part in version.split(".") if part]


@pytest.mark.skipif(tomllib is None, reason="Python 3.10 has no tomllib")
def test_every_library_the_package_imports_is_required():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    required = bounds([*project["dependencies"], *(text for extra in extras for text in extra)])
    distributions = {"PIL": "pillow", "skimage": "scikit-image", "lazy_loader": "lazy-loader"}
    distributions |= {"imageio_ffmpeg": "imageio-ffmpeg", "yaml": "pyyaml"}
    # Installed with TensorFlow, matplotlib or Jupyter.
    dependencies = {"h5py", "keras", "cycler", "matplotlib_inline", "IPython", "traitlets"}
    dependencies |= {"tornado"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for library in {name.split(".")[0] for name in names}:
                known = library in sys.stdlib_module_names or library in dependencies
                known = known or library == "dreamkit"
                assert known or distributions.get(library, library) in required


# The wheel

INSTALLED = """
import sys
from pathlib import Path

import dreamkit
from dreamkit.networks.imagenet import class_names
from dreamkit.inputs.samples import data_folder

assert Path(dreamkit.__file__).is_relative_to(sys.argv[1]), dreamkit.__file__
assert data_folder().is_relative_to(sys.argv[1]), data_folder()
for name in dreamkit.samples("style"):
    assert dreamkit.load_image(name, 32).shape[2] == 3
print(len(dreamkit.samples("style")), len(class_names()), class_names()[1])
"""


@pytest.mark.network
def test_the_wheel_brings_its_pictures_and_class_names(tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, ROOT],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if build.returncode and re.search(r"connection|No matching distribution|resolve", build.stderr):
        pytest.skip("building the wheel needs hatchling from PyPI, and there is no connection")
    assert build.returncode == 0, build.stderr
    (wheel,) = tmp_path.glob("*.whl")
    target, elsewhere = tmp_path / "target", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = [*pip, "install", "--no-deps", "--quiet", "--target", target, wheel]
    subprocess.run(install, check=True, capture_output=True)
    run = subprocess.run(
        [sys.executable, "-c", INSTALLED, target],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [str(len(dreamkit.samples("style"))), "1000", "goldfish"]

"""The house: imports point downward only, the public names are true, the packages are all listed."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import latticecodec

ROOT = Path(__file__).parent.parent
ROWS: dict[str, float] = {  # a unit may import from rows below its own
    "errors": 0,
    "lazy": 0,
    "metrics": 0,
    "tars": 0,
    "arguments": 0.5,
    "extras": 0.5,
    "outputs": 0.5,
    "devices": 0.7,
    "config": 1.1,
    "picture": 1,
    "container": 1,
    "weights": 1,
    "lowrank": 1.5,
    "entropy": 1.5,
    "lab.depends": 1,
    "lab.hardware": 1,
    "lab.widths": 1,
    "lab.tensors": 1.5,
    "lab.arithmetic": 1.6,
    "lab.ranks": 1.6,
    "lab.ssimulacra2": 1.7,
    "lab.distortion": 1.8,
    "lab.nets": 2.2,
    "lab.quantizers": 1.9,
    "lab.refine": 2.3,
    "backends": 1.9,
    "backends.torch": 2.5,
    "kinds": 2,
    "codec": 3,
    "complexity": 3,
    "zoo": 4,
    "lab.training": 5,
    "lab.evaluation": 5,
    "lab.papers": 5,
    "api": 5,
    "pillow": 5.5,
    "bulk": 5,
    "webdataset": 5,
}


def unit_of(dotted: list[str]) -> str:
    """The unit of the table that a module, by its names below latticecodec, belongs to."""
    return ".".join(dotted[:2]) if dotted[0] == "lab" or dotted[:2] == ["backends", "torch"] else dotted[0]


def imports(path: Path) -> list[tuple[str, str]]:
    """(importing unit, imported unit) of every import of our own modules in a file."""
    place = list(path.relative_to(ROOT / "latticecodec").with_suffix("").parts)
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = place[: len(place) - node.level] + (node.module.split(".") if node.module else [])
        elif (node.module or "").startswith("latticecodec."):
            base = (node.module or "").split(".")[1:]
        else:
            continue
        targets = [base] if base and base != ["lab"] else [[*base, alias.name] for alias in node.names]
        found += [(unit_of(place), unit_of(target)) for target in targets]
    return found


def test_imports_point_downward() -> None:
    files = [
        p
        for p in (ROOT / "latticecodec").rglob("*.py")
        if p.stem not in ("__init__", "__main__") or p.parent.name not in ("latticecodec", "lab")
    ]
    arrows = [arrow for path in files for arrow in imports(path)]
    assert len(arrows) > 50
    lazy = {("zoo", "codec")}  # row 4 imports row 3
    upward = [(a, b) for a, b in arrows if a != b and ROWS[b] >= ROWS[a] and (a, b) not in lazy]
    same_row = {
        ("picture", "container"),
    }
    assert [arrow for arrow in upward if arrow not in same_row] == []


def test_a_picture_is_opened_without_torch() -> None:
    """None of the rooms that a picture passes imports torch, or what needs it; one file of `backends` may."""
    rooms = ("codec", "kinds", "entropy", "container", "picture", "backends")
    files = [path for room in rooms for path in (ROOT / "latticecodec" / room).rglob("*.py")]
    assert len(files) > 50
    for path in files:
        if path != ROOT / "latticecodec" / "backends" / "torch.py":
            assert not re.search(r"^\s*import torch\b", path.read_text(), re.MULTILINE), path
            assert "lab" not in {target.split(".")[0] for _, target in imports(path)}, path


def test_a_kind_is_known_to_its_modules_alone() -> None:
    """A file for the codec, and one for training; no other knows it by name, but for what reruns papers."""
    files = [*(ROOT / "latticecodec").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]
    sources = {
        str(path.relative_to(ROOT)): path.read_text()
        for path in files
        if not {"papers", "autoencoders.py"} & set(path.relative_to(ROOT).parts)
    }
    home, training = "latticecodec/kinds", "latticecodec/lab/training/kinds"
    for name, module in (
        ("lattice-e8", "lattice"),
        ("vq", "codebook"),
        ("rotation", "codebook"),
        ("adaptive", "adaptive"),
    ):
        knowing = {path for path, text in sources.items() if f'"{name}"' in text}
        assert knowing == {f"{home}/{module}.py", f"{training}/{name.replace('-', '_')}.py"}


@pytest.mark.parametrize(
    "package", ["latticecodec.codec", "latticecodec.codec.squares", "latticecodec.entropy", "latticecodec.kinds"]
)
def test_what_opens_a_picture_does_without_torch(package: str) -> None:
    modules = [
        package,
        *(f"{package}.{name}" for _, name, _ in pkgutil.iter_modules([ROOT / package.replace(".", "/")])),
    ]
    told = f"import sys, {', '.join(modules)}; print([name for name in sys.modules if name.split('.')[0] == 'torch'])"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_command_line_is_not_imported_by_the_library() -> None:
    for path in (ROOT / "latticecodec").rglob("*.py"):
        if path.name != "__main__.py":
            assert "cli" not in {name for _, name in imports(path)}, path
            assert "import click" not in path.read_text(), path


def test_the_library_names_no_options() -> None:
    """What a caller can change has the name of a parameter, in backticks; `cli/messages.py` has the options."""
    option = re.compile(r"(?<![\w-])--[a-z]")
    for path in (ROOT / "latticecodec").rglob("*.py"):
        if "lab" not in path.parts:
            texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
            assert [text for text in texts if isinstance(text, str) and option.search(text)] == [], path


def test_only_one_file_imports_each_guest() -> None:
    package = ROOT / "latticecodec"
    sources = {str(path.relative_to(package)): path.read_text() for path in package.rglob("*.py")}
    guests = {
        "constriction": ["entropy/coder.py"],
        r"onnx\w*": ["backends/session.py"],
        "imagecodecs": [f"picture/formats/{name}.py" for name in ("jxl", "png", "tiff", "wide")],
        "torchvision": ["lab/training/data.py"],
    }
    for guest, hosts in guests.items():
        imported = re.compile(rf"^\s*(import|from) {guest}\b", re.MULTILINE)
        assert sorted(name for name, text in sources.items() if imported.search(text)) == hosts, guest


@pytest.mark.parametrize("package", ["", ".codec", ".container", ".kinds", ".picture"])
def test_names_that_are_loaded_on_first_use(package: str) -> None:
    """What is listed for type checkers, for the loading and for `import *` is the same, and there."""
    room = importlib.import_module(f"latticecodec{package}")
    source = Path(room.__file__ or "").read_text()
    typed = {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.col_offset
        for alias in node.names
        if not alias.asname  # a name for type checkers alone
    }
    assert len(typed) > 5
    assert typed == {(module, name) for module, names in room._NAMES.items() for name in names}
    defined = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)} | {"KINDS"}
    assert {name for _, name in typed} == {*room.__all__} - defined
    for name in room.__all__:
        assert getattr(room, name) is not None
        assert name in dir(room)


def test_public_names() -> None:
    assert sorted(latticecodec.__all__) == latticecodec.__all__
    for name in latticecodec.__all__:
        assert getattr(latticecodec, name).__doc__, name
    for name in latticecodec.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(latticecodec, name), latticecodec.LcqError)


def test_every_file_has_its_line_in_the_architecture() -> None:
    """By its name without the suffix; one of a table of formats or of papers is told with the table."""
    named = set(re.findall(r"[\w-]+", (ROOT / "ARCHITECTURE.md").read_text()))
    folders = [("latticecodec", "**/*.py"), ("cli", "*.py"), ("web", "*.js"), ("web/page", "*.js")]
    files = [path for folder, pattern in folders for path in (ROOT / folder).glob(pattern)]
    assert len(files) > 300
    tables = {"formats", "tables"}
    told = [path for path in files if not path.stem.startswith("__") and path.parent.name not in tables]
    assert [str(path.relative_to(ROOT)) for path in told if path.stem not in named] == []


def test_packages_are_all_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = {path.parent for path in (ROOT / "latticecodec").rglob("*.py")}
    expected = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    listed = set(project["tool"]["setuptools"]["packages"])
    assert listed == expected | {"latticecodec.cli", "latticecodec.models"}
    assert project["tool"]["setuptools"]["include-package-data"] is False  # else pip prints a hundred lines of warnings
    assert project["project"]["version"] == latticecodec.__version__


def test_files_that_are_no_python_are_listed() -> None:
    """What a wheel has of them is what [tool.setuptools.package-data] names."""
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    places = {
        name: ROOT / setuptools["package-dir"].get(name, name.replace(".", "/")) for name in setuptools["packages"]
    }
    listed = {
        file
        for package, patterns in setuptools["package-data"].items()
        for pattern in patterns
        for file in places[package].glob(pattern)
    }
    tracked = subprocess.run(
        ["git", "ls-files", "latticecodec", "cli", "models"], cwd=ROOT, capture_output=True, text=True
    )
    there = {ROOT / line for line in tracked.stdout.splitlines() if not line.endswith(".py")}
    assert there - listed == {ROOT / "models" / "MANIFEST"}


def test_models_fit_the_wheel() -> None:
    sizes = [path.stat().st_size for path in (ROOT / "models").rglob("*") if path.is_file()]
    assert 0 < sum(sizes) <= 64 * 2**20

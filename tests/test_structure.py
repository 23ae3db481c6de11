"""The house: imports point downward only, the public names are true, the packages are all listed."""

import ast
import tomllib
from pathlib import Path

import latticecodec

ROOT = Path(__file__).parent.parent
ROWS: dict[str, float] = {  # a module may import from its own row's package and from rows below
    "errors": 0,
    "arguments": 0.5,
    "config": 1,
    "picture": 1,
    "container": 1,
    "coder": 1,
    "arithmetic": 1,
    "distortion": 1,
    "ssimulacra2": 1,
    "lowrank": 1,
    "search": 1,
    "weights": 1,
    "networks": 2,
    "quantizers": 2,
    "prior": 2.5,
    "bottlenecks": 2.7,
    "codec": 3,
    "complexity": 3,
    "zoo": 4,
    "training": 5,
    "evaluation": 5,
    "papers": 5,
    "api": 5,
    "pillow": 5.5,
}


def imports(path: Path) -> list[tuple[str, str]]:
    """(importing unit, imported unit) of every import of our own modules in a file."""
    inside = path.relative_to(ROOT / "latticecodec")
    unit = inside.parts[0].removesuffix(".py")
    depth = len(inside.parts)  # 1 for latticecodec/x.py, 2 for latticecodec/pkg/x.py
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            found += [(unit, name if node.level == depth else unit) for name in names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("latticecodec."):
            found.append((unit, (node.module or "").split(".")[1]))
    return found


def test_imports_point_downward() -> None:
    files = [
        p
        for p in (ROOT / "latticecodec").rglob("*.py")
        if p.stem not in ("__init__", "__main__") or p.parent.name != "latticecodec"
    ]
    arrows = [arrow for path in files for arrow in imports(path)]
    assert len(arrows) > 50
    lazy = {("zoo", "codec")}  # row 4 imports row 3
    upward = [(a, b) for a, b in arrows if a != b and ROWS[b] >= ROWS[a] and (a, b) not in lazy]
    same_row = {
        ("picture", "container"),
        ("lowrank", "arithmetic"),
        ("distortion", "ssimulacra2"),
        ("ssimulacra2", "arithmetic"),
    }
    assert [arrow for arrow in upward if arrow not in same_row] == []


def test_the_command_line_is_not_imported_by_the_library() -> None:
    for path in (ROOT / "latticecodec").rglob("*.py"):
        if path.name != "__main__.py":
            assert "cli" not in {name for _, name in imports(path)}, path
            assert "import click" not in path.read_text(), path


def test_only_one_file_imports_each_guest() -> None:
    sources = {path.name: path.read_text() for path in (ROOT / "latticecodec").rglob("*.py")}
    assert [name for name, text in sources.items() if "import constriction" in text] == ["coder.py"]
    assert sorted(name for name, text in sources.items() if "import imagecodecs" in text) == [
        "jxl.py",
        "png.py",
        "tiff.py",
        "wide.py",
    ]
    assert [name for name, text in sources.items() if "torchvision" in text and "import" in text] == ["data.py"]


def test_public_names() -> None:
    assert sorted(latticecodec.__all__) == latticecodec.__all__
    for name in latticecodec.__all__:
        assert getattr(latticecodec, name).__doc__, name
    for name in latticecodec.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(latticecodec, name), latticecodec.LcqError)


def test_packages_are_all_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    folders = {path.parent for path in (ROOT / "latticecodec").rglob("*.py")}
    expected = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    listed = set(project["tool"]["setuptools"]["packages"])
    assert listed == expected | {"latticecodec.cli", "latticecodec.models"}
    assert project["tool"]["setuptools"]["include-package-data"] is False  # else pip prints a hundred lines of warnings
    assert project["project"]["version"] == latticecodec.__version__


def test_models_fit_the_wheel() -> None:
    sizes = [path.stat().st_size for path in (ROOT / "models").rglob("*") if path.is_file()]
    assert 0 < sum(sizes) <= 30 * 2**20

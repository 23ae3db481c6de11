"""Which files of the package a piece of work is made of, found by their imports: what a digest of it is taken of."""

import ast
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def sources(*modules: str, without: Sequence[str] = ()) -> list[Path]:
    """The files of modules and of all that these import of the package, directly or not, in the order of their paths.

    Imports in functions count, those for the type checker alone do not, nor does the `__init__.py` of a package that
    is only passed on the way to one of its modules. A package counts with all of its modules where it is named in
    `modules`, or loads them by their names.

    Args:
        modules: names below latticecodec, as "lab.papers.loop" or "kinds".
        without: names of modules that are left out, and of packages with all of theirs, with what they alone import.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    left_out = {file for name in without for file in _all_of(_file(name))}
    found: set[Path] = set()
    waiting = [file for name in modules for file in _all_of(_file(name))]
    while waiting:
        file = waiting.pop()
        if file not in found | left_out:
            found.add(file)
            waiting += _imported(file)
    return sorted(found)


def _file(name: str) -> Path:
    """The file of a module, of a package its `__init__.py`."""
    if file := _at(PACKAGE.joinpath(*name.split("."))):
        return file
    raise ModuleNotFoundError(f"no module {name} in {PACKAGE}")


def _at(place: Path) -> Path | None:
    """The file of the module that a path without a suffix stands for; None where it is none."""
    files = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None)


def _all_of(file: Path) -> list[Path]:
    """A module by itself, a package with all modules below it."""
    return [*file.parent.rglob("*.py")] if file.name == "__init__.py" else [file]


@functools.cache
def _imported(file: Path) -> list[Path]:
    """The files that a file imports relatively; of a package that loads modules by their names, all that it has."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    statements = [node for node in _running(tree) if isinstance(node, ast.ImportFrom)]
    found = [target for node in statements if node.level for target in _targets(file, node)]
    by_name = any(node.module == "importlib" for node in statements) and file.name == "__init__.py"
    return [*found, *_all_of(file)] if by_name else found


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below a node, without what only the type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        yield child
        yield from _running(child)


def _targets(file: Path, node: ast.ImportFrom) -> Iterator[Path]:
    """The files of `from .module import names`: of names that are modules, else of the module."""
    place = file.parents[node.level - 1].joinpath(*(node.module or "").split("."))
    for alias in node.names:
        if target := _at(place / alias.name) or _at(place):
            yield target

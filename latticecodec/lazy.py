"""Packages whose names are loaded on first use."""

import sys
from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def lazy(
    package: str, names: "Mapping[str, tuple[str, ...]]"
) -> "tuple[Callable[[str], Any], Callable[[], list[str]]]":
    """What a package has as `__getattr__` and `__dir__`.

    Args:
        package: its name.
        names: that are in modules below it, by module.
    """
    homes = {name: module for module, inside in names.items() for name in inside}

    def found(name: str) -> "Any":
        if name in homes:
            return getattr(import_module(f".{homes[name]}", package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def listed() -> list[str]:
        return [*vars(sys.modules[package]), *homes]

    return found, listed

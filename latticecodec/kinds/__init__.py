"""Kinds of models: what turns latents into a payload and back, one class each.

A module that has kinds lists them as its own KINDS. The table of all, by name, is KINDS here; it imports a module once
one of its kinds is asked for, so that a model's codec is without the other kinds.
"""

import pkgutil
import threading
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING

from ..container import QUANTIZERS
from ..lazy import lazy

if TYPE_CHECKING:
    from ..config import ModelConfig
    from .kind import Basis, Budget, Kind
    from .lattice import Lattice
    from .rate import Rate, Rates

_NAMES = {
    "kind": ("Basis", "Budget", "Kind"),
    "lattice": ("Lattice",),
    "rate": ("Rate", "Rates"),
}


class Table(MutableMapping[str, "type[Kind]"]):
    """Kinds by config.quantizer.

    One that is not there yet is looked for in the module of its name, and only then in all of them. Whoever goes
    through the table has them all, by their numbers. Threads may share it: one reads a module, the others wait.
    """

    def __init__(self) -> None:
        self._known: dict[str, type[Kind]] = {}
        self._unread = {found.name for found in pkgutil.iter_modules(__path__)}
        self._reading = threading.RLock()

    def __getitem__(self, name: str) -> "type[Kind]":
        if name not in self._known and name in self._unread:
            self._read(name)
        if name not in self._known:
            self._read_all()
        return self._known[name]

    def __setitem__(self, name: str, kind: "type[Kind]") -> None:
        self._known[name] = kind
        QUANTIZERS.add(kind.format_id)

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        self._read_all()
        return iter(sorted(self._known, key=lambda name: self._known[name].format_id))

    def __len__(self) -> int:
        self._read_all()
        return len(self._known)

    def _read_all(self) -> None:
        with self._reading:
            for module in sorted(self._unread):
                self._read(module)

    def _read(self, module: str) -> None:
        """Add the kinds that a module lists."""
        with self._reading:
            if module in self._unread:
                for kind in getattr(import_module(f"{__name__}.{module}"), "KINDS", ()):
                    self[kind.name] = kind
                self._unread.discard(module)


KINDS = Table()


def add(kind: "type[Kind]") -> None:
    """Make a kind known: its models can be loaded, and headers of their files read."""
    KINDS[kind.name] = kind


def check(config: "ModelConfig") -> None:
    """Raise ModelError where a configuration is not as its kind has it; one of an unknown kind is left alone."""
    if config.quantizer in KINDS:
        KINDS[config.quantizer].check(config)


def kind_of(format_id: tuple[int, int]) -> "type[Kind]":
    """The kind that has this quantizer and family; raises StopIteration where none has."""
    return next(kind for kind in KINDS.values() if kind.format_id == format_id)


__all__ = [
    "KINDS",
    "Basis",
    "Budget",
    "Kind",
    "Lattice",
    "Rate",
    "Rates",
    "add",
    "check",
    "kind_of",
]

__getattr__, __dir__ = lazy(__name__, _NAMES)

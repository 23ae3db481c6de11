"""What can be fuzzed: .lcq files, and pictures of every format that is read."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from . import mutations, pictures, target
from .state import SUFFIXES


@dataclass(frozen=True)
class Target:
    """One of them.

    Attributes:
        seeds: sound files.
        mutate: a file to the kind of a mutation and the mutated file.
        repaired: kinds whose checksums are right.
        outcome: what comes of a file; raises what must not come.
        suffix: of the files that are kept.
    """

    seeds: list[bytes]
    mutate: Callable[[bytes, Random], tuple[str, bytes]]
    repaired: set[str]
    outcome: Callable[[bytes], str]
    suffix: str


def of_lcq() -> Target:
    """.lcq files through everything that reads one."""
    target.codecs()
    mutator = mutations.Mutator(target.seeds(), target.index_crc)
    return Target(mutator.seeds, mutator.mutate, mutations.REPAIRED, target.outcome, SUFFIXES["lcq"])


def of_pictures() -> Target:
    """Pictures through everything that reads and codes one."""
    pictures.codec()
    return Target(pictures.seeds(), pictures.mutate, pictures.REPAIRED, pictures.outcome, SUFFIXES["pictures"])


TARGETS = {"lcq": of_lcq, "pictures": of_pictures}

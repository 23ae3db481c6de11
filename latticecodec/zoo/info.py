"""ModelInfo: a model folder, known by its config.json; what its name says of family and version."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..config import WEIGHTS, ModelConfig


@dataclass(frozen=True)
class ModelInfo:
    """A model folder, known by its config.json alone."""

    name: str
    folder: Path
    config: ModelConfig

    @property
    def digest(self) -> bytes:
        """See `ModelConfig`."""
        return self.config.digest

    @property
    def family(self) -> str:
        """The name without the number of its version."""
        return version_of(self.name)[0]

    @property
    def version(self) -> int:
        """1 for `lattice`, 2 for `lattice-2`."""
        return version_of(self.name)[1] or 1

    @property
    def weight_bytes(self) -> int:
        """Size of the weight file."""
        return (self.folder / WEIGHTS).stat().st_size


def version_of(name: str) -> tuple[str, int | None]:
    """Family and number of a model's name; None for a plain one."""
    numbered = re.fullmatch(r"(.+)-([1-9]\d{0,8})", name)
    return (numbered[1], int(numbered[2])) if numbered else (name, None)

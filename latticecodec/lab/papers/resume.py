"""Where the training of a row is, saved every ten minutes: an interrupted row goes on there, to the same result."""

import os
import pickle
import time
from pathlib import Path
from typing import Any

import torch

from .figures import Gallery

MINUTES = 10.0  # between saves


def unfinished(results: Path) -> Path:
    """Where the unfinished rows of a results file are."""
    return results.with_name(f"{results.stem}-unfinished")


class Resumable:
    """The file of one row's training, with the pictures that its gallery has collected.

    Args:
        file: where it is, as long as the row is not finished.
        origin: what it must have been made from to go on with it: code, data and the type of networks.
        gallery: of the row.
    """

    def __init__(self, file: Path, origin: str, gallery: Gallery) -> None:
        self.file, self.origin, self.gallery = file, origin, gallery
        self.saved = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """What `save` was given last, and the gallery's pictures; None where there is nothing to go on with."""
        try:
            state = torch.load(self.file, weights_only=True)
            if state["origin"] != self.origin:
                return None
        except (OSError, RuntimeError, ValueError, EOFError, KeyError, TypeError, pickle.UnpicklingError):
            return None
        self.gallery.strips, self.gallery.maps = state["strips"], state["maps"]
        training: dict[str, Any] = state["training"]
        return training

    def due(self) -> bool:
        """Whether the last save is MINUTES ago."""
        return time.monotonic() - self.saved >= 60 * MINUTES

    def save(self, training: dict[str, Any]) -> None:
        """Save tensors and numbers; the file is whole or the one before."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(".part")
        state = {"training": training, "strips": self.gallery.strips, "maps": self.gallery.maps, "origin": self.origin}
        torch.save(state, part)
        os.replace(part, self.file)
        self.saved = time.monotonic()

    def finish(self) -> None:
        """Delete the file, and its folder where nothing else is in it."""
        self.file.unlink(missing_ok=True)
        if self.file.parent.is_dir() and not any(self.file.parent.iterdir()):
            self.file.parent.rmdir()

"""Weights in parts: what a training leaves, in half precision and without its optimiser, in files of a limited size.

For machines that hand back only small files, and few of them: of the weights and their average one is kept, in the
place of both. Parts of one name put together are a file for torch.load.
"""

import io
from pathlib import Path
from typing import Any

import torch

from ...errors import TrainingError
from .checkpoint import load_state

PART_BYTES = 15 << 20


def write_parts(
    checkpoint: Path, folder: Path, name: str, averaged: bool = False, part_bytes: int = PART_BYTES
) -> list[Path]:
    """The weights in a checkpoint, or their average -> `folder`/`name`-0.part, -1.part, ...; returns their paths.

    Older parts of that name are replaced. Raises TrainingError where `checkpoint` is none.
    """
    state = load_state(checkpoint)
    state.pop("optimiser", None)
    kept = state["model"] | (state["average"] if averaged else {})
    state["model"] = {key: _half(value) for key, value in kept.items()}
    state["average"] = {key: state["model"][key] for key in state["average"]}  # the same tensors, written once
    whole = io.BytesIO()
    torch.save(state, whole)
    data = whole.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    pieces = [data[start : start + part_bytes] for start in range(0, len(data), part_bytes)]
    paths = [folder / f"{name}-{number}.part" for number in range(len(pieces))]
    new = [path.with_suffix(".new") for path in paths]
    for path, piece in zip(new, pieces, strict=True):
        path.write_bytes(piece)
    for path, target in zip(new, paths, strict=True):  # in a moment, so that hardly ever a part is of other weights
        path.replace(target)
    for old in set(_parts(folder, name)) - set(paths):
        old.unlink()
    return paths


def join_parts(folder: Path, name: str, target: Path) -> dict[str, Any]:
    """Write the parts of that name as one checkpoint file; returns what is in it. Raises TrainingError without them."""
    paths = _parts(folder, name)
    if not paths:
        raise TrainingError(f"{folder}: holds no {name}-0.part; name the folder of the parts")
    target.write_bytes(b"".join(path.read_bytes() for path in paths))
    return load_state(target)


def _parts(folder: Path, name: str) -> list[Path]:
    """The parts of a name, in order."""
    return sorted(folder.glob(f"{name}-*.part"), key=lambda path: int(path.stem.rsplit("-", 1)[1]))


def _half(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() else value

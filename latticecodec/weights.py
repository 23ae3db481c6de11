"""A weight file: checked against its SHA-256, then read as plain tensors. Nothing in it is ever run or unpickled."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ModelError, reason

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS_MAX = 1 << 28  # bytes of a weight file
BASE_DIGEST = "base.sha256"  # tensor uint8 [32] that ties a model to the weights of its base
KINDS = {"prior": ("int8", "int32"), "base": ("uint8",)}  # of the tensors named so; all others are FLOATS
FLOATS = ("float16", "float32")


def read_tensors(path: Path, sha256: str) -> "dict[str, Tensor]":
    """The tensors of a safetensors file.

    Args:
        path: of the file, at most WEIGHTS_MAX bytes.
        sha256: what its SHA-256 must be, in hex.

    Raises ModelError where the file is not there, too large or another one, or holds a tensor that no model has: of an
    unknown type, or with a value that is not a number.
    """
    import safetensors
    import safetensors.torch

    data = _read(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(f"{path}: does not match the SHA-256 in config.json: damaged, or not of this model")
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(data)
    except (safetensors.SafetensorError, KeyError) as error:  # KeyError: a type that PyTorch does not have
        raise ModelError(f"{path}: not a safetensors file ({error})") from None
    for name, tensor in tensors.items():
        kinds, kind = KINDS.get(name.split(".")[0], FLOATS), str(tensor.dtype).removeprefix("torch.")
        if kind not in kinds:
            raise ModelError(f"{path}: tensor {name!r} is of type {kind}; it must be {' or '.join(kinds)}")
        if kinds == FLOATS and not bool(tensor.isfinite().all()):
            raise ModelError(f"{path}: tensor {name!r} holds values that are not finite numbers")
    return tensors


def _read(path: Path) -> bytes:
    """The bytes of a file."""
    try:
        if not path.is_file():
            raise ModelError(f"{path}: cannot be read, it is not there or not a file")
        if (size := path.stat().st_size) > WEIGHTS_MAX:
            raise ModelError(f"{path}: {size:,} bytes of weights; beyond the limit of {WEIGHTS_MAX:,}")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({reason(error)})") from None

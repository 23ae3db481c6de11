"""A weight file: checked against its SHA-256, then read as plain arrays. Nothing in it is ever run or unpickled."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .errors import ModelError, reason

Array = np.ndarray[Any, np.dtype[Any]]
Held = TypeVar("Held")  # arrays, or tensors of torch

WEIGHTS_MAX = 1 << 28  # bytes of a weight file
BASE_DIGEST = "base.sha256"  # tensor uint8 [32] that ties a model to the weights of its base
DTYPES = {"prior": ("int8", "int32"), "base": ("uint8",)}  # of the tensors named so; all others are FLOATS
FLOATS = ("float16", "float32")
TYPES = {  # of safetensors, by the names that users know
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I8": "int8",
    "U8": "uint8",
}


def read_tensors(path: Path, sha256: str) -> dict[str, Array]:
    """The tensors of a safetensors file, as arrays of float16, float32, int8, int32 or uint8.

    Args:
        path: of the file, at most WEIGHTS_MAX bytes.
        sha256: what its SHA-256 must be, in hex.

    Raises ModelError where the file is not there, too large or another one, or holds a tensor that no model has: of an
    unknown type, or with a value that is not a number.
    """
    import safetensors

    data = _read(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(f"{path}: does not match the SHA-256 in config.json: damaged, or not of this model")
    try:
        views = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error})") from None
    tensors: dict[str, Array] = {}
    for name, view in views:
        allowed, dtype = DTYPES.get(name.split(".")[0], FLOATS), TYPES.get(view["dtype"], view["dtype"])
        if dtype not in allowed:
            raise ModelError(f"{path}: tensor {name!r} is of type {dtype}; it must be {' or '.join(allowed)}")
        tensors[name] = np.frombuffer(view["data"], dtype).reshape(view["shape"])
        if allowed == FLOATS and not np.isfinite(tensors[name]).all():
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


def part(name: str, tensors: Mapping[str, Held]) -> dict[str, Held]:
    """The tensors named `name`.*, without that prefix."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}

"""The tensors of a model, with those of the base that it adds to."""

from ..config import CONFIG, WEIGHTS
from ..errors import ModelError
from ..weights import BASE_DIGEST, Array, read_tensors
from .info import ModelInfo
from .path import info_of, list_models


def read_weights(info: ModelInfo) -> dict[str, Array]:
    """The tensors of a model, those of its base included.

    Raises ModelError where they do not match the SHA-256 in config.json, or the base they were made for is not there.
    """
    tensors = _own_weights(info)
    if not info.config.base:
        return tensors
    from ..lowrank import with_low_rank

    base = _base_with(info, tensors.pop(BASE_DIGEST, None))
    try:
        return with_low_rank(_own_weights(base) | tensors)
    except ValueError as error:
        raise ModelError(f"model {info.name}: {error}") from None


def read_low_rank(info: ModelInfo) -> dict[str, Array]:
    """The factors NAME.left and NAME.right in a model's own folder; raises as `read_weights`."""
    from ..lowrank import LEFT, RIGHT

    return {name: value for name, value in _own_weights(info).items() if name.endswith((LEFT, RIGHT))}


def base_of(info: ModelInfo) -> ModelInfo:
    """The model whose tensors `info` adds to; raises ModelError where it is not there."""
    return _base_with(info, _own_weights(info).get(BASE_DIGEST))


def _base_with(info: ModelInfo, digest: Array | None) -> ModelInfo:
    """The model named in config.base, beside `info` or on the path, whose weights have the SHA-256 `digest`."""
    name = info.config.base
    if digest is None or digest.ndim != 1 or len(digest) != 32 or digest.dtype.itemsize != 1:
        told = f"its base is {name!r}, but no tensor {BASE_DIGEST} says with which weights"
        raise ModelError(f"model {info.name}: {told}; take an undamaged copy of the model")
    wanted = digest.tobytes().hex()
    beside = info.folder.parent / name
    candidates = [info_of(beside)] if (beside / CONFIG).is_file() else []
    for base in [*candidates, *list_models()]:
        if name in (base.name, base.config.name) and base.config.weights_sha256 == wanted:
            return base
    raise ModelError(f"model {info.name}: its base {name!r} with the weights {wanted[:16]}... is not there; install it")


def _own_weights(info: ModelInfo) -> dict[str, Array]:
    """The tensors in a model's own folder."""
    return read_tensors(info.folder / WEIGHTS, info.config.weights_sha256)

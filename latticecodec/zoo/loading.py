"""Models, loaded: kept for the next call, and those that files and encodes ask for."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import choice
from ..backends.shapes import numbers_needed
from ..config import CONFIG, TUNES
from ..devices import resolve_device
from ..errors import FormatError, ModelError
from .finding import find, find_by_digest, tuned
from .info import ModelInfo
from .weights import read_weights

if TYPE_CHECKING:
    from ..codec import Codec, EncodeOptions
    from ..codec.model import Model
    from ..container import Header

DEFAULT_FAMILY, DEFAULT_TUNE = "lattice", "ssimulacra2"  # what is encoded with and for where nothing is named


def load(name_or_path: str | Path | None = None, device: str = "auto", tune: str | None = None) -> "Codec":
    """A ready codec. Loaded models are kept for the next call.

    Args:
        name_or_path: a name from `list_models`, or a model folder; None for the newest of DEFAULT_FAMILY.
        device: "auto" (CUDA where there is one), "cpu" or "cuda".
        tune: what will be encoded for, see `tuned`; None takes the model that is named itself, else DEFAULT_TUNE.

    Raises ModelError where the model is unknown or its weights do not match their SHA-256, TargetError for another
    `tune` and LcqError for another device.
    """
    tune = None if tune is None else choice("tune", tune, TUNES)
    if name_or_path is None:
        name_or_path, tune = DEFAULT_FAMILY, tune or DEFAULT_TUNE
    info = find(name_or_path) if tune is None else tuned(name_or_path, tune)
    return _load(info, resolve_device(device))


def model_for(header: "Header", name_or_path: str | Path | None = None, device: str = "auto") -> "Model | None":
    """What a file with this header decodes with: see `find_by_digest` and `load`; None for one that takes no model."""
    if not header.names_model:
        return None
    return load(find_by_digest(header.model, name_or_path).folder, device).model


def model_to_encode(
    options: "EncodeOptions", name_or_path: str | Path | None = None, device: str = "auto"
) -> "Model | None":
    """What a picture is encoded with where this is asked for: see `load`; None where all is exact."""
    return None if options.lossless else load(name_or_path, device, options.tune).model


@cache
def _load(info: ModelInfo, device: str) -> "Codec":
    from ..codec import Codec

    tensors = read_weights(info)
    if (needed := numbers_needed(info.config)) > (there := sum(tensor.size for tensor in tensors.values())):
        told = f"which asks for {needed:,} numbers or more; they have {there:,}"
        raise ModelError(f"model {info.name}: its weights do not fit its {CONFIG}, {told}")
    try:
        return Codec(info.config, tensors, device)
    except (ModelError, MemoryError, ImportError):  # the last is of a package, and not of the weights
        raise
    except FormatError as error:  # of the frequency tables
        raise ModelError(f"model {info.name}: {error}") from None
    except Exception as error:  # a tensor of a wrong shape can break a network in any way
        told = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"model {info.name}: its weights do not fit its {CONFIG} ({told})") from None

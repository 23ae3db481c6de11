"""Find, verify and load models: those that come with the package, and one's own.

They lie in the folders of `models_path`, each in a folder of its own, whose name is that of the model. Of two models of
one name, and of two with the same weights, the first on the path counts; one that is hidden by its name is still found
by the files that it wrote, and by its folder.

A model that shipped is never changed. A better one is the next version of its family: `lattice-2` after `lattice`. The
plain name means the newest version, `lattice-1` the first.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import choice, shown
from .backends.shapes import numbers_needed
from .config import CONFIG, TUNES, WEIGHTS, ModelConfig, ModelInfo, version_of
from .devices import resolve_device
from .errors import FormatError, ModelError
from .kinds import KINDS, check
from .weights import BASE_DIGEST, Array, read_tensors

if TYPE_CHECKING:
    from .codec import Codec, EncodeOptions
    from .codec.model import Model
    from .container import Header

DEFAULT_FAMILY, DEFAULT_TUNE = "lattice", "ssimulacra2"  # what is encoded with and for where nothing is named
VARIABLE = "LCODEC_MODELS"  # environment variable: folders with models of one's own, separated as in PATH


def _package_folder() -> Path:
    """models/ beside the code (installed) or one level up (a source checkout)."""
    package = Path(__file__).parent
    installed = package / "models"
    return installed if installed.is_dir() else package.parent / "models"


def _of_variable() -> list[str]:
    """The folders that the environment names."""
    return list(filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)))


# Where models are looked for, in this order; append folders to it. Those that do not exist are passed over.
models_path: list[str | Path] = [_package_folder(), *_of_variable()]


def list_models() -> list[ModelInfo]:
    """The models in the folders of `models_path`, by name; of one name first the one that it means.

    Those whose config.json cannot be read are left out, with a warning. Raises ModelError where `models_path` holds
    what is no folder's name.
    """
    return sorted(_on_the_path(), key=lambda info: info.name)


def _on_the_path(wanted: "Callable[[ModelInfo], bool]" = lambda info: True) -> Iterator[ModelInfo]:
    """The models on the path that are wanted, in its order; a folder on it may also be a model. Kinds see no others."""
    for folder in _folders():
        for path in [folder / CONFIG] if os.path.isfile(folder / CONFIG) else sorted(folder.glob(f"*/{CONFIG}")):
            try:
                info = _read(path.parent)
                if wanted(info):
                    _check(info)
                    yield info
            except ModelError as error:
                warnings.warn(f"{error}; it is left out", stacklevel=1)


def absent() -> list[Path]:
    """The folders of VARIABLE that are not there; perhaps those of a disk that is not mounted."""
    return [folder for folder in map(_folder, _of_variable()) if not os.path.isdir(folder)]


def _folders() -> list[Path]:
    return [_folder(entry) for entry in models_path]


def _folder(entry: Any) -> Path:
    """An entry of the path as a folder, which need not exist."""
    if not isinstance(entry, str | os.PathLike):
        raise ModelError(f"latticecodec.models_path holds {shown(entry)}, which is no folder; append text or a Path")
    try:
        return Path(entry).expanduser().resolve()
    except (RuntimeError, ValueError) as error:  # of a user that is unknown, or with a null byte
        told = f"latticecodec.models_path, or {VARIABLE}, holds {shown(entry)}"
        raise ModelError(f"{told}: {str(error).rstrip('.')}") from None


def newest(family: str) -> ModelInfo | None:
    """The model that a plain name means: the latest version of its family."""
    return max(_on_the_path(lambda info: info.family == family), key=lambda info: info.version, default=None)


def installed(name: str) -> ModelInfo:
    """The model of exactly this name, whatever newer versions there are; raises ModelError without it."""
    for info in _on_the_path(lambda info: info.name == name):
        return info
    raise ModelError(f"model {name!r} is not installed")


def _info(folder: Path) -> ModelInfo:
    """The model in a folder: on the path it is called as the folder is, elsewhere as config.json says."""
    info = _read(folder)
    _check(info)
    return info


def _read(folder: Path) -> ModelInfo:
    """The same, not yet looked at by its kind."""
    config, path = ModelConfig.read(folder / CONFIG), _folders()
    return ModelInfo(folder.name if folder in path or folder.parent in path else config.name, folder, config)


def _check(info: ModelInfo) -> None:
    """Raise ModelError where a configuration is not as its kind has it."""
    try:
        check(info.config)
    except ModelError as error:
        raise ModelError(f"{info.folder / CONFIG}: {error}") from None


def find(name_or_path: str | Path) -> ModelInfo:
    """A model by name, or by the folder it lies in; raises ModelError that says what there is.

    A plain name means the newest version of its family; one with a number means exactly that version. Text is taken for
    a name first, a Path for a folder.
    """
    if not isinstance(name_or_path, str | os.PathLike) or not str(name_or_path):
        raise ModelError(f"model {shown(name_or_path)} is neither the name of a model nor its folder")
    path = Path(name_or_path)
    if isinstance(name_or_path, os.PathLike) and os.path.isfile(path / CONFIG):
        return _info(path.resolve())
    family, number = version_of(str(name_or_path))
    if number is None and (latest := newest(family)) is not None:
        return latest
    for info in _on_the_path(lambda info: (info.family, info.version) == (family, number)):
        return info
    if os.path.isfile(path / CONFIG):
        return _info(path.resolve())
    if os.path.isdir(path):
        raise ModelError(f"{path}: not a model folder, it holds no {CONFIG}")
    for folder in _folders():
        if path.name == str(name_or_path) and os.path.isfile(folder / path / CONFIG):
            return _info(folder / path)  # which cannot be read, and says why
    names = ", ".join(dict.fromkeys(info.name for info in list_models())) or "none"
    own = "".join(f", {folder}" for folder in models_path[1:])
    raise ModelError(
        f"unknown model {str(name_or_path)!r}: not a folder, and not one of those installed ({names}"
        f"{'; looked for in ' + str(models_path[0]) + own if own else ''})"
    )


def called(info: ModelInfo) -> str:
    """What `find` takes for this very model whatever versions follow: its name and number, or its folder."""
    version = (info.family, info.version)
    if next(_on_the_path(lambda other: (other.family, other.version) == version), None) == info:
        return f"{info.family}-{info.version}"
    here = Path.cwd()
    return str(info.folder.relative_to(here) if info.folder.is_relative_to(here) else info.folder)


def find_by_digest(digest: bytes, name_or_path: str | Path | None = None) -> ModelInfo:
    """The model that a file was written with: among those installed, or the one at `name_or_path`, which must match."""
    if name_or_path is not None:
        info = find(name_or_path)
        if info.digest != digest:
            raise ModelError(
                f"the file was written with model {digest.hex()}, but model {name_or_path} is {info.digest.hex()}"
            )
        return info
    found = written_with(digest)
    if found is None:
        raise ModelError(
            f"the file was written with model {digest.hex()}, which is not installed: name its folder with `model`, "
            "or append the folder that it lies in to `latticecodec.models_path`"
        )
    return found


def written_with(digest: bytes) -> ModelInfo | None:
    """The first model on the path whose files have this digest."""
    return next(_on_the_path(lambda info: info.digest == digest), None)


def tuned(name_or_path: str | Path, tune: str) -> ModelInfo:
    """The model that encodes best for `tune` where `name_or_path` was asked for.

    Of an installed lattice model it is its base, or an installed one with the same base or with that model as its base,
    that was trained for `tune`. Where the newest version, asked for by its plain name, has none, it is that of an older
    one. All others stay themselves.
    """
    info, models = find(name_or_path), list_models()
    tuned = info.config.quantizer in KINDS and KINDS[info.config.quantizer].efforts > 0
    if info.config.tune == tune or not tuned or info.digest not in {m.digest for m in models}:
        return info
    base = info.config.base or info.name
    trained = [model for model in models if model.config.tune == tune and base in (model.name, model.config.base)]
    if not trained and version_of(str(name_or_path))[1] is None:
        family = version_of(base)[0]
        trained = [
            m for m in models if m.config.tune == tune and m.config.base and version_of(m.config.base)[0] == family
        ]
    return max(trained, key=lambda model: (model.name == base, model.version), default=info)


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


def read_weights(info: ModelInfo) -> dict[str, Array]:
    """The tensors of a model, those of its base included.

    Raises ModelError where they do not match the SHA-256 in config.json, or the base they were made for is not there.
    """
    tensors = _read_own_weights(info)
    if not info.config.base:
        return tensors
    from .lowrank import with_low_rank

    base = _base_with(info, tensors.pop(BASE_DIGEST, None))
    try:
        return with_low_rank(_read_own_weights(base) | tensors)
    except ValueError as error:
        raise ModelError(f"model {info.name}: {error}") from None


def read_low_rank(info: ModelInfo) -> dict[str, Array]:
    """The factors NAME.left and NAME.right in a model's own folder; raises as `read_weights`."""
    from .lowrank import LEFT, RIGHT

    return {name: value for name, value in _read_own_weights(info).items() if name.endswith((LEFT, RIGHT))}


def base_of(info: ModelInfo) -> ModelInfo:
    """The model whose tensors `info` adds to; raises ModelError where it is not there."""
    return _base_with(info, _read_own_weights(info).get(BASE_DIGEST))


def _base_with(info: ModelInfo, digest: Array | None) -> ModelInfo:
    """The model named in config.base, beside `info` or on the path, whose weights have the SHA-256 `digest`."""
    name = info.config.base
    if digest is None or digest.ndim != 1 or len(digest) != 32 or digest.dtype.itemsize != 1:
        told = f"its base is {name!r}, but no tensor {BASE_DIGEST} says with which weights"
        raise ModelError(f"model {info.name}: {told}; take an undamaged copy of the model")
    wanted = digest.tobytes().hex()
    beside = info.folder.parent / name
    candidates = [_info(beside)] if (beside / CONFIG).is_file() else []
    for base in [*candidates, *list_models()]:
        if name in (base.name, base.config.name) and base.config.weights_sha256 == wanted:
            return base
    raise ModelError(f"model {info.name}: its base {name!r} with the weights {wanted[:16]}... is not there; install it")


def _read_own_weights(info: ModelInfo) -> dict[str, Array]:
    """The tensors in a model's own folder."""
    return read_tensors(info.folder / WEIGHTS, info.config.weights_sha256)


@cache
def _load(info: ModelInfo, device: str) -> "Codec":
    from .codec import Codec

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

"""Where models are looked for, in the folders of `models_path`, and those that lie there."""

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..arguments import shown
from ..config import CONFIG, ModelConfig
from ..errors import ModelError
from ..kinds import check
from .info import ModelInfo

VARIABLE = "LCODEC_MODELS"  # environment variable: folders with models of one's own, separated as in PATH


def _package_folder() -> Path:
    """models/ beside the code (installed) or one level up (a source checkout)."""
    package = Path(__file__).parent.parent
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
    return sorted(on_the_path(), key=lambda info: info.name)


def on_the_path(wanted: "Callable[[ModelInfo], bool]" = lambda info: True) -> Iterator[ModelInfo]:
    """The models on the path that are wanted, in its order; a folder on it may also be a model. Kinds see no others."""
    for folder in folders():
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


def entries() -> list[str | Path]:
    """What `latticecodec.zoo.models_path` is now: the one list, and where a program puts another in its place, that."""
    from . import models_path

    return models_path


def folders() -> list[Path]:
    """The folders of the path, which need not exist."""
    return [_folder(entry) for entry in entries()]


def _folder(entry: Any) -> Path:
    """An entry of the path as a folder, which need not exist."""
    if not isinstance(entry, str | os.PathLike):
        raise ModelError(f"latticecodec.models_path holds {shown(entry)}, which is no folder; append text or a Path")
    try:
        return Path(entry).expanduser().resolve()
    except (RuntimeError, ValueError) as error:  # of a user that is unknown, or with a null byte
        told = f"latticecodec.models_path, or {VARIABLE}, holds {shown(entry)}"
        raise ModelError(f"{told}: {str(error).rstrip('.')}") from None


def info_of(folder: Path) -> ModelInfo:
    """The model in a folder: on the path it is called as the folder is, elsewhere as config.json says."""
    info = _read(folder)
    _check(info)
    return info


def _read(folder: Path) -> ModelInfo:
    """The same, not yet looked at by its kind."""
    config, path = ModelConfig.read(folder / CONFIG), folders()
    return ModelInfo(folder.name if folder in path or folder.parent in path else config.name, folder, config)


def _check(info: ModelInfo) -> None:
    """Raise ModelError where a configuration is not as its kind has it."""
    try:
        check(info.config)
    except ModelError as error:
        raise ModelError(f"{info.folder / CONFIG}: {error}") from None

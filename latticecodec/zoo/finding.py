"""Which model is meant: by a name, a folder, the digest in a file, or what it is to be tuned for."""

import os
from pathlib import Path

from ..arguments import shown
from ..config import CONFIG
from ..errors import ModelError
from ..kinds import KINDS
from .info import ModelInfo, version_of
from .path import entries, folders, info_of, list_models, on_the_path


def newest(family: str) -> ModelInfo | None:
    """The model that a plain name means: the latest version of its family."""
    return max(on_the_path(lambda info: info.family == family), key=lambda info: info.version, default=None)


def installed(name: str) -> ModelInfo:
    """The model of exactly this name, whatever newer versions there are; raises ModelError without it."""
    for info in on_the_path(lambda info: info.name == name):
        return info
    raise ModelError(f"model {name!r} is not installed")


def find(name_or_path: str | Path) -> ModelInfo:
    """A model by name, or by the folder it lies in; raises ModelError that says what there is.

    A plain name means the newest version of its family; one with a number means exactly that version. Text is taken for
    a name first, a Path for a folder.
    """
    if not isinstance(name_or_path, str | os.PathLike) or not str(name_or_path):
        raise ModelError(f"model {shown(name_or_path)} is neither the name of a model nor its folder")
    path = Path(name_or_path)
    if isinstance(name_or_path, os.PathLike) and os.path.isfile(path / CONFIG):
        return info_of(path.resolve())
    family, number = version_of(str(name_or_path))
    if number is None and (latest := newest(family)) is not None:
        return latest
    for info in on_the_path(lambda info: (info.family, info.version) == (family, number)):
        return info
    if os.path.isfile(path / CONFIG):
        return info_of(path.resolve())
    if os.path.isdir(path):
        raise ModelError(f"{path}: not a model folder, it holds no {CONFIG}")
    for folder in folders():
        if path.name == str(name_or_path) and os.path.isfile(folder / path / CONFIG):
            return info_of(folder / path)  # which cannot be read, and says why
    names = ", ".join(dict.fromkeys(info.name for info in list_models())) or "none"
    own = "".join(f", {folder}" for folder in entries()[1:])
    raise ModelError(
        f"unknown model {str(name_or_path)!r}: not a folder, and not one of those installed ({names}"
        f"{'; looked for in ' + str(entries()[0]) + own if own else ''})"
    )


def called(info: ModelInfo) -> str:
    """What `find` takes for this very model whatever versions follow: its name and number, or its folder."""
    version = (info.family, info.version)
    if next(on_the_path(lambda other: (other.family, other.version) == version), None) == info:
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
    return next(on_the_path(lambda info: info.digest == digest), None)


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

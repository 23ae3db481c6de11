"""What is done with each picture of a collection: compressed, restored, or checked."""

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from posixpath import splitext
from typing import Any, Literal

from ..arguments import whole
from ..codec import EncodeOptions, Encoding, check, encoded, indices_of, pixels_of, silent
from ..codec.model import Model
from ..container import PIXELS_MAX, reader_of
from ..errors import ModelError
from ..picture import IMAGE_SUFFIXES, Pixels, read_file, save, strip_of, stripped
from ..zoo import find, model_for, model_to_encode

Action = Literal["compress", "decompress", "verify"]
SUFFIX, RESTORED = ".lcq", ".png"


@dataclass(frozen=True)
class Coded:
    """What came of a picture.

    Attributes:
        name: of the output, beside where the input lay.
        data: of the output; empty where nothing is to be written.
        width, height: of the picture, in pixels.
        model: digest of its model, in hexadecimal digits.
        quality: 0 to 100.
        notes: what was left out, a line each.
    """

    name: str
    data: bytes
    width: int
    height: int
    model: str
    quality: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What was asked for, of every picture alike; can be sent to a worker.

    Attributes:
        action: what is done.
        options: of an encode; None for another action.
        model: its name or folder; None for the default, and of files that are read for those that are installed.
        digest: of the weights that the driver has under that name, of which a worker has to have the same.
        strip: "all" or "gps" leaves out metadata, see `encode`.
        keep_suffix: NAME.png becomes NAME.png.lcq.
        max_pixels: of a picture or file that is read; more are refused. No more than the `options` have.
        device: "auto", "cpu" or "cuda".
    """

    action: Action
    options: EncodeOptions | None = None
    model: str | None = None
    digest: bytes = b""
    strip: str | None = None
    keep_suffix: bool = False
    max_pixels: int = PIXELS_MAX
    device: str = "auto"

    def __post_init__(self) -> None:
        """Raises TargetError for a `strip` that is none, or `max_pixels`."""
        object.__setattr__(self, "strip", strip_of(self.strip))
        object.__setattr__(self, "max_pixels", whole("max_pixels", self.max_pixels, 1))
        if self.options is not None:
            object.__setattr__(self, "options", self.options.for_model(self.model))
            object.__setattr__(self, "max_pixels", min(self.max_pixels, self.options.max_pixels))

    @property
    def suffixes(self) -> frozenset[str]:
        """Of the files that it is for."""
        return IMAGE_SUFFIXES if self.action == "compress" else frozenset({SUFFIX})

    def described(self) -> dict[str, Any]:
        """What outputs depend on, for JSON."""
        return asdict(replace(self, device="auto")) | {"digest": self.digest.hex()}

    def target(self, name: str) -> str:
        """What the output for a file is called; folders stay."""
        if self.action == "verify":
            return name
        if self.action == "compress":
            return f"{name if self.keep_suffix else splitext(name)[0]}{SUFFIX}"
        stem = splitext(name)[0]
        return stem if splitext(stem)[1].lower() == RESTORED else f"{stem}{RESTORED}"

    @property
    def advice(self) -> str:
        """What helps where the outputs for several files would have one name."""
        return "`keep_suffix` keeps them apart" if self.action == "compress" and not self.keep_suffix else "rename one"

    def loaded(self, device: str) -> Model | None:
        """The model to compress with, None where it takes none; raises LcqError where nothing can be encoded so."""
        assert self.options is not None
        model = model_to_encode(self.options, self.model, device)
        check(model, self.options)
        return model

    def sent(self) -> "Task":
        """As workers get it: its model by digest, and by a folder that any process finds; raises as `loaded`."""
        coder, model = self.loaded("cpu") if self.action == "compress" else None, self.model
        if model is not None and find(model).folder == Path(model).resolve():
            model = str(find(model).folder)
        return replace(self, model=model, digest=self.digest if coder is None else coder.digest)

    def ready(self) -> Callable[[str, bytes], Coded]:
        """What does it, from the name and the bytes of a file, with its model loaded.

        What is returned raises LcqError for a picture that it cannot be done with. Raises LcqError where it can be done
        with none, as with a model that is not there.
        """
        if self.action != "compress":
            return partial(_restored, self) if self.action == "decompress" else partial(_checked, self)
        return partial(_compressed, self, self.encoder())

    def encoder(self) -> Callable[[Pixels], Encoding]:
        """What encodes a picture, with its model loaded; raises as `loaded`, and where it is not the driver's."""
        assert self.options is not None
        model = self.loaded(self.device)
        if model is not None and self.digest not in (b"", model.digest):
            told = f"has the weights {model.digest.hex()} here and {self.digest.hex()} where this was started"
            raise ModelError(f"model {model.config.name}: {told}; install the same on every machine")
        return partial(encoded, model, options=self.options, report=silent)


def _compressed(task: Task, encode: Callable[[Pixels], Encoding], name: str, data: bytes) -> Coded:
    picture = stripped(read_file(io.BytesIO(data), name, task.max_pixels), task.strip)
    result = encode(picture)
    header = result.header
    return Coded(
        task.target(name),
        result.data,
        header.width,
        header.height,
        header.model.hex(),
        result.quality,
        picture.notes,
    )


def _restored(task: Task, name: str, data: bytes) -> Coded:
    reader, file = reader_of(data, task.max_pixels), io.BytesIO()
    header = reader.header
    notes = save(pixels_of(model_for(header, task.model, task.device), reader), RESTORED, file)
    return Coded(
        task.target(name),
        file.getvalue(),
        header.width,
        header.height,
        header.model.hex(),
        header.quality,
        tuple(notes),
    )


def _checked(task: Task, name: str, data: bytes) -> Coded:
    reader = reader_of(data, task.max_pixels)
    header = reader.header
    indices_of(model_for(header, task.model, task.device), reader, stored=True)
    return Coded(name, b"", header.width, header.height, header.model.hex(), header.quality)

"""A file to what is asked of it: the checks of both. A picture that is wholly exact takes no model."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..arguments import whole
from ..container import PIXELS_MAX, Reader, contents, named
from ..errors import ModelError
from .decoder import Damage, PictureDecoder
from .memory import undisturbed
from .model import Model
from .region import Region, box_of

if TYPE_CHECKING:
    from ..container import Source
    from ..entropy.coder import Int32
    from ..picture import Pixels


def pixels_of(
    model: Model | None,
    data: "Source",
    region: Region | None,
    on_damage: Callable[[Damage], None] | None,
    report: Callable[[int, int], None],
    max_pixels: int,
) -> "Pixels":
    """See `Codec.decode_pixels`; `model` may be None for a file that names none."""
    with named(data), undisturbed():
        decoder = _decoder(model, data, on_damage, max_pixels)
        return decoder.pixels(box_of(region, decoder.header), report)


def indices_of(model: Model | None, data: "Source", on_damage: Callable[[Damage], None] | None) -> "Int32":
    """See `Codec.decode_indices`; `model` may be None for a file that names none."""
    with named(data), undisturbed():
        return _decoder(model, data, on_damage).indices()


def _decoder(
    model: Model | None,
    data: "Source",
    on_damage: Callable[[Damage], None] | None,
    max_pixels: int = PIXELS_MAX,
) -> PictureDecoder:
    """A file, its header read; raises ModelError where it is of another model."""
    reader = Reader(contents(data), whole("max_pixels", max_pixels, 1))
    header = reader.header
    if header.names_model and (model is None or header.model != model.digest):
        given = "none" if model is None else model.digest.hex()
        raise ModelError(f"the file was written with model {header.model.hex()}, but this is {given}")
    if on_damage is None:
        reader.check_length()
    return PictureDecoder(model, reader, on_damage)

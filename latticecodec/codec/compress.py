"""A picture and what is asked for to a file: the checks of both, the header, the search for a target."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ..backends.backend import Report
from ..container import Box, Header
from ..errors import ModelError, TargetError
from ..picture import Pixels, check_metadata, psnr, read
from .call import own_errors
from .encoder import PictureEncoder
from .encoding import Encoding
from .header import header_of
from .model import Model
from .options import EncodeOptions
from .painter import Painter
from .search import Target, bpp_target, psnr_target, search, size_target
from .squares.choice import Choice
from .squares.hidden import continued
from .squares.lossless import lossless
from .tiling import tile_side

if TYPE_CHECKING:
    from ..picture import Picture


def encoded(model: Model | None, image: "Picture", options: EncodeOptions | None, report: Report) -> Encoding:
    """See `Codec.encode`; without options all are what they are by default. A lossless one takes no model."""
    asked = options or EncodeOptions()
    check(model, asked)
    pixels = read(image, asked.max_pixels)
    check_metadata(pixels)
    with own_errors():
        if asked.lossless:
            return lossless(pixels, asked.tile, report)
        assert model is not None
        tune = asked.tune or model.config.tune
        header = _header(model, pixels, tune, asked.tile)
        encoder = PictureEncoder(model, replace(pixels, colour=continued(pixels)), header, asked.effort, report)
        rates = model.kind.rates
        choice = Choice(model, pixels, asked.tile, encoder)

        def attempt(number: int) -> Encoding:
            if asked.exact and not asked.embed_basis:
                return choice.attempt(rates.at(number))
            return encoder.attempt(rates.at(number), asked.embed_basis)

        target = _target(model, pixels, asked)
        if target is None:
            return attempt(rates.of_quality(asked.quality).number)
        encoder.keep_latents()
        found = search(attempt, rates.lowest, rates.highest, target)
        return replace(found.trial, note=found.note)


def check(model: Model | None, options: EncodeOptions) -> None:
    """See `Codec.check`; a lossless encode takes no model."""
    if options.lossless:
        return
    assert model is not None
    tune = options.tune or model.config.tune
    if tune != "psnr" and not model.kind.efforts:
        raise ModelError(f"model {model.config.name} encodes for PSNR alone; lattice and lattice-e8 can be tuned")
    if tune != model.config.tune and not options.effort:
        raise TargetError(f"tune {tune} takes an effort of 1 or more")
    if options.embed_basis:
        with own_errors():
            model.kind.own_basis(model.kind.rates.of_quality(options.quality))  # where there is none, it raises
    model.check_effort(options.effort)


def _target(model: Model, pixels: Pixels, asked: EncodeOptions) -> Target[Encoding] | None:
    """What to search for; None where a quality was asked for."""
    if asked.bpp is not None:
        return bpp_target(asked.bpp, lambda trial: 8 * len(trial.data) / (pixels.width * pixels.height))
    if asked.size is not None:
        return size_target(asked.size, lambda trial: len(trial.data))
    if asked.psnr is not None:
        return psnr_target(asked.psnr, lambda trial: _fidelity(model, trial, pixels))
    return None


def _header(model: Model, pixels: Pixels, tune: str, tile: int | None) -> Header:
    """What a file of a picture says about itself, all but the rate."""
    quantizer, family = model.kind.format_id
    return header_of(
        pixels,
        model=model.digest,
        scale=0,
        quality=0.0,
        quantizer=quantizer,
        family=family,
        tune=tune,
        tile=tile_side(tile, pixels.width, pixels.height),
    )


def _fidelity(model: Model, encoding: Encoding, pixels: Pixels) -> float:
    """PSNR in dB of the colours that `encoding` decodes to where anything is seen of them, without decoding it."""
    colour = (pixels.colour if encoding.layer is None else encoding.layer).copy()  # [H, W, C]; exact squares stay
    if encoding.header.names_model:
        Painter(model, encoding.header).paint(colour, encoding.tiles, Box(0, 0, pixels.width, pixels.height))
    if pixels.alpha is None:
        return psnr(colour, pixels.colour)
    seen = pixels.alpha > 0  # [H, W]
    return psnr(colour[seen], pixels.colour[seen])

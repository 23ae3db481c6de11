"""What the options of `lcodec compress` and `lcodec bulk` ask of an encode."""

from typing import TYPE_CHECKING

from latticecodec import LcqError

if TYPE_CHECKING:
    from latticecodec.codec import EncodeOptions

QUALITY = 50.0  # where neither quality nor target is asked for


def encode_options(
    model: str | None,
    quality: float | None,
    bpp: float | None,
    size: int | None,
    psnr: float | None,
    embed_basis: bool,
    effort: int,
    tune: str | None,
    tile: int | None,
    lossless: bool,
) -> "EncodeOptions":
    """What an encode is asked for; raises LcqError where options exclude each other."""
    from latticecodec.codec import EncodeOptions

    if sum(value is not None for value in (quality, bpp, size, psnr)) + lossless > 1:
        raise LcqError("--quality, --bpp, --size, --psnr and --lossless exclude each other; give one")
    if lossless and embed_basis:
        raise LcqError("--lossless has no lattice basis to write; leave out --embed-basis")
    return EncodeOptions(
        quality=QUALITY if quality is None else quality,
        bpp=bpp,
        size=size,
        psnr=psnr,
        embed_basis=embed_basis,
        effort=effort,
        tune=tune,
        tile=tile,
        lossless=lossless,
    ).for_model(model)

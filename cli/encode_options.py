"""What the options of `lcodec compress` and `lcodec bulk` ask of an encode."""

from typing import TYPE_CHECKING, Any

from latticecodec import LcqError

from . import options

if TYPE_CHECKING:
    from latticecodec.codec import EncodeOptions

OF_NETWORKS = {"model", "effort", "tune", "embed_basis"}  # parameters without a meaning where all is exact


def encode_options(model: str | None, **given: Any) -> "EncodeOptions":
    """What an encode is asked for: fields of `EncodeOptions`, where None leaves one as it is there.

    Raises LcqError where options exclude each other.
    """
    from latticecodec.codec import EncodeOptions

    asked = {name: value for name, value in given.items() if value is not None}
    if len(asked.keys() & {"quality", "bpp", "size", "psnr"}) + asked["lossless"] > 1:
        raise LcqError("--quality, --bpp, --size, --psnr and --lossless exclude each other; give one")
    if asked["lossless"] and (idle := options.given(OF_NETWORKS)):
        raise LcqError(f"--lossless works without a model; leave out {', '.join(idle)}")
    return EncodeOptions(**asked).for_model(model)

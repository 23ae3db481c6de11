"""What an encode is asked for is one list, `EncodeOptions`; whoever names its options again names them all, alike."""

import inspect
from dataclasses import fields
from typing import Any

import pytest
from latticecodec.cli.compress import compress
from latticecodec.cli.encode_options import encode_options

import latticecodec
from latticecodec import Codec, LcqError
from latticecodec.codec import EncodeOptions
from latticecodec.codec.tiling import tile_side
from latticecodec.picture import STRIPS
from latticecodec.pillow import OPTIONS

DEFAULTS = {field.name: field.default for field in fields(EncodeOptions) if field.name != "exact"}  # which is our own
UNSAID = {"lossless": False, "embed_basis": False}


def parameters(function: Any) -> dict[str, object]:
    """Parameters and their defaults."""
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}


def test_functions_have_the_same_options_with_the_same_defaults() -> None:
    method, function = parameters(Codec.encode), parameters(latticecodec.encode)
    assert {name: value for name, value in method.items() if name not in ("self", "image", "report")} == DEFAULTS
    own = ("img", "model", "device", "strip")
    basis = {"embed_basis": False}  # which `latticecodec.encode` leaves to `Codec`
    assert {name: value for name, value in function.items() if name not in own} | basis == DEFAULTS


def test_the_command_and_pillow_have_them_too() -> None:
    known = {parameter.name: parameter.default for parameter in compress.params}
    assert known.keys() >= DEFAULTS.keys() - {"max_pixels"}
    assert known["effort"] == DEFAULTS["effort"]
    assert set(OPTIONS) == parameters(latticecodec.encode).keys() - {"img", "device", "max_pixels"}


def test_the_command_has_the_numbers_of_the_library() -> None:
    known = {str(parameter.name): parameter for parameter in compress.params}
    assert vars(known["strip"].type)["choices"] == STRIPS
    assert vars(known["tile"].type)["max"] == 65_472  # the largest multiple of 64 pixels that a side can have
    with pytest.raises(LcqError, match="tile"):
        EncodeOptions(tile=65_472 + 64)
    told = {name: " ".join(vars(known[name])["help"].split()) for name in ("quality", "tile")}
    assert told["quality"].endswith("[default: 50]")
    assert told["tile"].endswith("[default: 768 above 4 megapixels]")
    assert (tile_side(None, 2048, 2048), tile_side(None, 2048, 2049)) == (None, 768)


def test_what_a_command_leaves_out_is_as_it_is_in_the_library() -> None:
    assert encode_options("lattice-1", **dict.fromkeys(DEFAULTS.keys() - UNSAID.keys()), **UNSAID) == EncodeOptions()
    assert encode_options(None, psnr=34.0, **UNSAID) == EncodeOptions(psnr=34.0, tune="psnr")


@pytest.mark.parametrize(
    "given", [{"quality": 0.0, "bpp": 1.0}, {"size": 9, "psnr": 30.0}, {"psnr": 30.0, "lossless": True}]
)
def test_targets_exclude_each_other(given: dict[str, Any]) -> None:
    with pytest.raises(LcqError, match="--quality, --bpp, --size, --psnr and --lossless exclude each other; give one"):
        encode_options(None, **UNSAID | given)

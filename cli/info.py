"""lcodec info"""

import json
from pathlib import Path

import click

from . import options
from .files import named, opened

COLOURS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGB and alpha"}


@click.command()
@click.argument("file", type=click.Path(exists=True, allow_dash=True))
@options.as_json
def info(file: str, as_json: bool) -> None:
    """Print what the header of an .lcq FILE says, and check its checksums. Fast: the picture is not decoded."""
    from latticecodec.container import BASIS_UNIT, LATTICE, QUANTIZER_NAMES, Reader
    from latticecodec.zoo import list_models

    with named(Path(file)), opened(Path(file)) as data:
        reader, length = Reader(data), len(data)
        reader.check()
    header = reader.header
    quantizer, family = QUANTIZER_NAMES[header.quantizer, header.family]
    names = [model.name for model in list_models() if model.digest == header.model]
    points = {"lattice": family, "basis": "embedded" if header.basis else "of the model"}
    if header.quantizer != LATTICE:
        points = {"codebooks": family}
    facts = {
        "format": f"{header.version[0]}.{header.version[1]}",
        "width": header.width,
        "height": header.height,
        "channels": header.channels,
        "colour": COLOURS[header.channels],
        "bit_depth": header.bit_depth,
        "tiles": header.tiles,
        "tile_side": header.tile or max(header.width, header.height),
        "icc_bytes": len(header.icc or b""),
        "exif_bytes": len(header.exif or b""),
        "xmp_bytes": len(header.xmp or b""),
        "bytes": length,
        "bpp": round(8 * length / (header.width * header.height), 5),
        "quantizer": quantizer,
        **points,
        "scale_octaves": header.scale / BASIS_UNIT,
        "quality": round(header.quality, 1),  # the scale, which decides, has steps of about 0.03
        "tune": header.tune,
        "model_digest": header.model.hex(),
        "model": names[0] if names else None,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    for key, value in facts.items():
        click.echo(f"{key:14} {'not installed' if value is None else value}")

"""lcodec info"""

from functools import partial

import click

from . import options
from .batch import Outcome, Work, run
from .files import Job, look
from .inputs import mapped, name_of
from .messages import on_one_line

ABSENT = {"model": "not installed", "cicp": "none"}  # what is printed in place of None
COLOURS = {1: "grey", 2: "grey and alpha", 3: "RGB", 4: "RGB and alpha"}


@click.command()
@click.argument("files", nargs=-1, required=True, type=options.FILES)
@options.json_of_files
def info(files: tuple[str, ...], as_json: bool) -> None:
    """Print what the headers of .lcq FILES say, and check their checksums. Fast: no picture is decoded.

    FILES are .lcq files, folders of them or - for standard input.
    """
    plan = look(files)
    run(plan, Work(partial(_facts, plan.many), "read", subject="file"), as_json)


def _facts(many: bool, job: Job) -> Outcome:
    """What the header of a file says; in text with an empty line behind, where it is one of many."""
    from latticecodec.container import BASIS_UNIT, SRGB, Reader
    from latticecodec.kinds import kind_of
    from latticecodec.zoo import list_models

    with mapped(job.source) as data:
        reader, length = Reader(data), len(data)
        reader.check()
    header = reader.header
    kind = kind_of((header.quantizer, header.family))
    names = [model.name for model in list_models() if model.digest == header.model]
    basis = {"basis": "embedded" if header.basis else "of the model"} if "lattice" in kind.described else {}
    facts = {
        "file": name_of(job.source),
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
        "colours": "as the ICC profile says" if header.icc else (header.cicp or SRGB).name,
        "cicp": None if header.cicp is None else "/".join(map(str, header.cicp)),
        "bytes": length,
        "bpp": round(8 * length / (header.width * header.height), 5),
        **kind.described,
        **basis,
        "scale_octaves": header.scale / BASIS_UNIT,
        "stored": round(header.squares.share, 5),  # of the pixels
        "quality": round(header.quality, 1),  # the scale, which decides, has steps of about 0.03
        "tune": header.tune if header.names_model else None,
        "model_digest": header.model.hex(),
        "model": names[0] if names else None,
    }
    absent = ABSENT if header.names_model else ABSENT | {"model": "none needed", "tune": "none"}
    shown = {key: absent[key] if value is None else value for key, value in facts.items()}
    shown["stored"] = f"{100 * header.squares.share:.1f} % of pixels, without networks"
    shown["file"] = on_one_line(name_of(job.source))
    return Outcome(facts, "\n".join(f"{key:14} {value}" for key, value in shown.items()) + "\n" * many)

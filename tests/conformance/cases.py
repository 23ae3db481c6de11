"""What the conformance files are: name, model, how each was made, and what it is there for."""

import dataclasses
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
from lcq_parts import Record, parts

from latticecodec import Codec, container
from latticecodec.codec import EncodeOptions
from latticecodec.codec.squares.mixed import stored_tile
from latticecodec.container import Cicp, Header, Tile
from latticecodec.picture import Pixels

from .pictures import drawing, flat, glass, noise, scene, spark

MODELS = ("lattice", "lattice-e8", "vq", "adaptive", "rotation")
ICC = b"\0\0\1\x0cnot a real profile " + bytes(range(256))
EXIF = b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"  # one tag, orientation 6
XMP = b'<?xpacket begin="\xef\xbb\xbf"?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="w"?>'

Make = Callable[[Codec], bytes]


@dataclasses.dataclass(frozen=True)
class Case:
    """One file."""

    name: str
    model: str
    covers: str
    make: Make


def encoded(picture: Pixels, quality: float = 50.0, **options: object) -> Make:
    """As the encoder writes it."""
    return lambda codec: codec.encode(picture, quality=quality, **options)  # type: ignore[arg-type]


def rewritten(make: Make, **fields: object) -> Make:
    """With other fields in its header."""

    def changed(codec: Codec) -> bytes:
        header, tiles = container.read(make(codec))
        return container.write(dataclasses.replace(header, **fields), tiles)  # type: ignore[arg-type]

    return changed


def extended(make: Make, *records: Record) -> Make:
    """With more extensions."""

    def changed(codec: Codec) -> bytes:
        file = parts(make(codec))
        return dataclasses.replace(file, records=file.records + records).data()

    return changed


def far_out(codec: Codec) -> bytes:
    """A picture on a basis 2^8 times finer than the model's: coordinates in the thousands, most of them escapes."""
    kind = codec.kind
    rate = kind.rates.of_quality(100)
    u = (np.random.default_rng(5).standard_cauchy((codec.config.latents, 4, 4)) * 600).astype(np.float32)
    coded = kind.encode(u, rate, 0)
    basis = tuple(entry - 8 * container.BASIS_UNIT for entry in kind.own_basis(rate))
    header = Header(60, 50, 3, codec.digest, rate.scale, 100.0, *kind.format_id, basis=basis)
    return container.write(header, [Tile(coded.payload, zlib.crc32(coded.indices.astype("<i4").tobytes()))])


def past_the_end(codec: Codec) -> bytes:
    """What an empty payload stands for: a decoder reads zero bytes on and on."""
    kind = codec.kind
    rate = kind.rates.of_quality(20)
    indices = kind.decode(b"", rate, 8, 20)
    header = Header(320, 128, 3, codec.digest, rate.scale, 20.0, *kind.format_id)
    return container.write(header, [Tile(b"", zlib.crc32(indices.astype("<i4").tobytes()))])


def lossless(picture: Pixels, tile: int = 0) -> Make:
    """Wholly exact, without a model."""
    return lambda codec: codec.encode(picture, lossless=True, tile=tile)


def partly_exact(picture: Pixels, exact: str, tile: int = 0, empty: tuple[int, ...] = ()) -> Make:
    """With the squares of the ones in `exact`, row by row, over what the encoder writes; some tiles have no more."""

    def make(codec: Codec) -> bytes:
        neural = codec.encode_detailed(picture, EncodeOptions(quality=20, exact=False, tile=tile))
        header, tiles = container.read(neural.data)
        header = dataclasses.replace(header, exact=container.mask_of(square == "1" for square in exact))
        for number, box in enumerate(header.boxes()):
            found = stored_tile(header, picture.colour, picture.alpha, box, tiles[number].alpha)
            tiles[number] = dataclasses.replace(tiles[number], alpha=found.alpha, exact=found.exact)
            if number in empty:
                zeros = bytes(4 * neural.tiles[number].size)
                tiles[number] = dataclasses.replace(tiles[number], payload=b"", indices_crc=zlib.crc32(zeros))
        return container.write(header, tiles)

    return make


def _exact() -> list[Case]:
    """Exact colours, of format 1.2."""
    names = {1: "grey", 2: "grey-alpha", 3: "rgb", 4: "rgba"}
    cases = [
        Case(
            f"lossless-{name}-{depth}", "lattice", "wholly exact, no model", lossless(drawing(21, 26, channels, depth))
        )
        for depth in (8, 16)
        for channels, name in names.items()
    ]
    tiles = partly_exact(drawing(70, 190), "110110", 64, (1,))
    joint = [
        ("rgba-8", "colours and alpha in one", glass(40, 70, 4, 8)),
        ("rgba-16", "colours and alpha in one, 16 bits", glass(40, 30, 4, 16)),
        ("grey-alpha-8", "grey and alpha in one", glass(40, 30, 2, 8)),
        ("grey-alpha-16", "alpha in the low bytes alone", glass(40, 30, 2, 16, least=0xFF00)),
    ]
    return [
        *cases,
        Case("lossless-noise", "lattice", "noise, wholly exact", lossless(noise(16, 16))),
        Case("lossless-1x1", "lattice", "the smallest picture, wholly exact", lossless(scene(1, 1))),
        Case("lossless-tiles", "lattice", "tiles that are wholly exact", lossless(drawing(40, 70, 4), 64)),
        Case("exact-squares", "lattice", "some squares exact", partly_exact(drawing(70, 140), "101010")),
        Case("exact-tiles", "lattice", "tiles with and without, one has no range-coded part", tiles),
        Case("exact-grey-16", "lattice-e8", "grey, 16 bits", partly_exact(drawing(130, 70, 1, 16), "001001")),
        Case("exact-alpha", "vq", "exact squares and alpha", partly_exact(drawing(40, 70, 4), "01")),
        Case("exact-all", "adaptive", "wholly exact, with a model and indices", partly_exact(drawing(20, 30), "1")),
        Case("exact-empty", "adaptive", "wholly exact, with a model", partly_exact(drawing(20, 30), "1", 0, (0,))),
        *(Case(f"joint-{name}", "lattice", covers, lossless(picture, 64)) for name, covers, picture in joint),
        Case(
            "joint-squares",
            "vq",
            "exact squares, and the alpha of all in one",
            partly_exact(glass(40, 140, 4, 8), "011"),
        ),
        Case("exact-none", "rotation", "a mask without exact squares", partly_exact(drawing(20, 30), "0")),
    ]


def _each_model() -> list[Case]:
    """What every quantizer must do."""
    cases = []
    for model in MODELS:
        add = partial(Case, model=model)
        cases += [
            add(f"{model}-middle", covers="odd sides, RGB", make=encoded(scene(37, 53))),
            add(f"{model}-lowest", covers="quality 0", make=encoded(scene(48, 40), 0)),
            add(f"{model}-highest", covers="quality 100", make=encoded(scene(40, 48), 100)),
            add(f"{model}-1x1", covers="the smallest picture", make=encoded(scene(1, 1))),
            add(f"{model}-tiles", covers="2 x 2 tiles, the last ones smaller", make=encoded(scene(70, 100), tile=64)),
            add(f"{model}-noise", covers="noise at quality 100", make=encoded(noise(40, 40), 100)),
        ]
    return cases


def _sizes() -> list[Case]:
    """Sides around the multiples of 16 and 64 that the format counts in."""
    sizes = [(1, 23), (19, 1), (15, 17), (16, 16), (17, 15), (63, 65), (64, 64), (65, 63)]
    return [
        Case(f"size-{width}x{height}", "lattice", "width x height", encoded(scene(height, width), 30))
        for height, width in sizes
    ]


def _samples() -> list[Case]:
    """Channels, depths and alpha."""
    names = {1: "grey", 2: "grey-alpha", 3: "rgb", 4: "rgba"}
    cases = [
        Case(f"{name}-{depth}", "lattice", "channels and bits a sample", encoded(scene(21, 26, channels, depth)))
        for depth in (8, 16)
        for channels, name in names.items()
    ]
    for kind in ("opaque", "constant"):
        for depth in (8, 16):
            picture = scene(18, 33, 4, depth, kind)
            cases.append(Case(f"alpha-{kind}-{depth}", "lattice", f"{kind} alpha", encoded(picture)))
    return cases


def _tiles() -> list[Case]:
    """What the tiles of a lattice may meet; `_each_model` has more."""
    return [
        Case("tiles-exact", "lattice", "2 x 1 whole tiles", encoded(scene(64, 128), tile=64)),
        Case("tiles-last-pixel", "lattice", "the last column and row of one pixel", encoded(scene(65, 129), tile=64)),
        Case("tiles-grey-16", "lattice-e8", "tiles, 16 bits", encoded(scene(40, 70, 1, 16), tile=64)),
        Case("tiles-alpha", "lattice", "tiles with and without alpha", encoded(scene(70, 80, 4, 8, "corner"), tile=64)),
        Case("tiles-alpha-16", "vq", "tiles, noisy alpha", encoded(scene(20, 70, 2, 16), tile=64)),
    ]


def _headers() -> list[Case]:
    """Extensions, versions, metadata."""
    plain, odd = encoded(scene(20, 30)), encoded(scene(31, 17))
    return [
        Case("icc", "lattice", "ICC profile", encoded(scene(20, 30, icc=ICC))),
        Case("exif", "lattice", "EXIF that says orientation 6", encoded(scene(20, 30, exif=EXIF))),
        Case("xmp", "lattice-e8", "XMP", encoded(scene(20, 30, xmp=XMP))),
        Case("metadata", "adaptive", "all metadata", encoded(scene(20, 30, 4, 16, icc=ICC, exif=EXIF, xmp=XMP))),
        Case("cicp", "lattice", "code points of Display P3", encoded(scene(20, 30, cicp=Cicp(12, 13)))),
        Case("cicp-pq-16", "lattice-e8", "PQ, 16 bits", encoded(scene(20, 30, 3, 16, cicp=Cicp(9, 16)))),
        Case("cicp-narrow", "vq", "HLG of grey, narrow range", encoded(scene(20, 30, 1, 16, cicp=Cicp(9, 18, 0, 0)))),
        Case("cicp-and-icc", "lattice", "the profile counts", encoded(scene(20, 30, icc=ICC, cicp=Cicp(12, 13)))),
        Case(
            "cicp-unknown",
            "lattice",
            "code points that say nothing, the last ones count",
            extended(plain, Record(132, b"\x0c\x0d\0\1"), Record(132, b"\x0c\x0d\x09\1")),
        ),
        Case("cicp-long", "lattice", "a mark of a later encoder", extended(odd, Record(132, b"\x0c\x0d\0\1\0"))),
        Case("basis", "lattice", "embedded basis", encoded(scene(31, 17), embed_basis=True)),
        Case("basis-e8", "lattice-e8", "embedded basis", encoded(scene(31, 17), embed_basis=True)),
        Case("basis-and-scale", "lattice", "a basis wins over the scale", _two_rates()),
        Case("ms-ssim", "lattice", "the mark of --tune ms-ssim", encoded(scene(168, 168), 5, tune="ms-ssim")),
        Case("ssimulacra2", "lattice", "the mark of --tune ssimulacra2", encoded(scene(40, 30), 5, tune="ssimulacra2")),
        Case("tune-unknown", "lattice", "a mark of a later encoder", extended(plain, Record(128, b"\x07\x07"))),
        Case(
            "extension-unknown",
            "lattice",
            "extensions to step over",
            extended(odd, Record(200, b"?" * 20), Record(255, b"")),
        ),
        Case("minor-newer", "lattice", "format 1.9", rewritten(plain, version=(1, 9))),
        Case("quality-says-nothing", "lattice", "quality is information only", rewritten(plain, quality=99.0)),
        Case("effort-9", "lattice", "the encoder's effort changes no reader", encoded(scene(31, 17), effort=9)),
    ]


def _two_rates() -> Make:
    """A whole basis beside a scale that says another rate."""

    def make(codec: Codec) -> bytes:
        own = codec.kind.own_basis(codec.kind.rates.of_quality(60))
        return rewritten(encoded(scene(31, 17), 60), basis=tuple(entry + 300 for entry in own))(codec)

    return make


def _extremes() -> list[Case]:
    """Contents at the edge."""
    return [
        Case("black", "lattice", "black", encoded(flat(40, 40, 0))),
        Case("white", "lattice-e8", "white", encoded(flat(40, 40, 255))),
        Case("spark", "lattice", "one bright pixel", encoded(spark(40, 40), 80)),
        Case("spark-vq", "vq", "one bright pixel", encoded(spark(40, 40), 80)),
        Case("escapes", "lattice", "coordinates beyond all tables", far_out),
        Case("escapes-e8", "lattice-e8", "coordinates beyond all tables", far_out),
        Case("padded", "lattice", "zero bytes up to the expansion limit", past_the_end),
    ]


def _large() -> list[Case]:
    """512 latent positions, from where this reader computes predictions in another way."""
    wide = {"lattice": scene(256, 512), "lattice-e8": scene(512, 256)}
    return [Case(f"large-{model}", model, "many positions", encoded(wide[model], 5)) for model in wide]


CASES = [*_each_model(), *_sizes(), *_samples(), *_tiles(), *_headers(), *_extremes(), *_exact(), *_large()]

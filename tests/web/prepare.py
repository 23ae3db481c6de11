"""Files for `make web-test` and `make web-fuzz`, with what Python makes of them.

    cd tests; python -m web.prepare OUT [--mutated 500] [--seed 1]

OUT/cases.json lists them: file, group, and either the error that it gives, or the SHA-256 of its index tensor and a
file of its samples as they lie in memory, 16-bit ones little-endian.
"""

import argparse
import json
from pathlib import Path
from random import Random
from typing import Any

import imagecodecs
import numpy as np
from fuzz import mutations, target
from numpy.typing import NDArray
from PIL import Image

import latticecodec
from latticecodec import LcqError, load
from latticecodec.codec import indices_sha256
from latticecodec.zoo import list_models

TESTS = Path(__file__).parent.parent
CONFORMANCE = TESTS / "conformance"
MOST = 1 << 14  # pixels of a mutated file that is decoded

Row = dict[str, Any]


class Cases:
    """The files of a folder, and the list of them."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self.rows: list[Row] = []

    def add(self, group: str, name: str, data: bytes, facts: Row, samples: NDArray[Any] | None = None) -> None:
        """A file, with what is known of it."""
        row = {"group": group, "name": name, "file": f"{len(self.rows)}.lcq"} | facts
        (self._out / row["file"]).write_bytes(data)
        if samples is not None:
            row["samples"] = f"{len(self.rows)}.raw"
            (self._out / row["samples"]).write_bytes(np.ascontiguousarray(samples).tobytes())
        self.rows.append(row)

    def write(self) -> None:
        """The list."""
        (self._out / "cases.json").write_text(json.dumps(self.rows, indent=1) + "\n", encoding="utf-8")


def conformance(cases: Cases) -> None:
    """Every frozen file, with what the manifest says."""
    manifest = json.loads((CONFORMANCE / "manifest.json").read_text())
    for row in manifest["files"]:
        samples = imagecodecs.png_decode((CONFORMANCE / row["pixels"]).read_bytes())
        facts = {"indices": row["indices_sha256"]}
        cases.add("conformance", row["file"], (CONFORMANCE / row["file"]).read_bytes(), facts, samples)
    for row in manifest["invalid"]:
        data = (CONFORMANCE / row["file"]).read_bytes()
        told = told_by_python(data, load(CONFORMANCE / "models" / row["model"], device="cpu"))
        assert told["error"] == row["error"]
        cases.add("invalid", row["file"], data, told)


def shipped(cases: Cases) -> None:
    """Three files of every model: the one it came with, one in tiles with alpha, one of grey with 16 bits."""
    landscape = Image.open(TESTS.parent / "samples" / "landscape.png").convert("RGB")
    part = landscape.crop((300, 180, 490, 330))
    part.putalpha(part.convert("L").point(lambda value: min(2 * value, 255)))
    grey = np.asarray(landscape.crop((100, 200, 233, 307)).convert("L")).astype(np.uint16) * 257
    for info in list_models():
        codec = load(info.folder, device="cpu")
        files = {
            "first": (TESTS / "shipped" / f"{info.folder.name}.lcq").read_bytes(),
            "tiles": codec.encode(part, quality=15, effort=0, tile=64),
            "grey": codec.encode(grey, quality=85, effort=0),
        }
        for name, data in files.items():
            samples = codec.decode(data, as_array=True)
            facts = {"indices": indices_sha256(codec.decode_indices(data))}
            cases.add("shipped", f"{info.folder.name}, {name}", data, facts, samples)


def mutated(cases: Cases, count: int, seed: int) -> None:
    """Mutated conformance files."""
    mutator, random = mutations.Mutator(target.seeds(), target.index_crc), Random(seed)
    while count:
        kind, data = mutator.mutate(random.choice(mutator.seeds), random)
        try:
            header = latticecodec.read_header(data)
            if header.width * header.height > MOST:
                continue
            codec = target.codecs().get(header.model) or next(iter(target.codecs().values()))
        except LcqError:
            codec = next(iter(target.codecs().values()))
        count -= 1
        told = told_by_python(data, codec)
        samples = None if "error" in told else codec.decode(data, as_array=True)
        cases.add("mutated", kind, data, told, samples)


def told_by_python(data: bytes, codec: latticecodec.Codec) -> Row:
    """The error that a file gives, or the SHA-256 of its index tensor."""
    try:
        codec.decode(data, as_array=True)
        return {"indices": indices_sha256(codec.decode_indices(data))}
    except LcqError as error:
        return {"error": type(error).__name__, "message": str(error)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="Folder that the files go to.")
    parser.add_argument("--mutated", type=int, default=500, help="Mutated files. [500]")
    parser.add_argument("--seed", type=int, default=1, help="Of the mutations. [1]")
    parser.add_argument("--only-mutated", action="store_true", help="No other files.")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cases = Cases(options.out)
    if not options.only_mutated:
        conformance(cases)
        shipped(cases)
    mutated(cases, options.mutated, options.seed)
    cases.write()


if __name__ == "__main__":
    main()

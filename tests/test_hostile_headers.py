"""Headers that claim much cost little: under 0.1 s and 64 MiB, whatever they say."""

import json
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lcq_parts import Parts, Record, Tile, parts

CONFORMANCE = Path(__file__).parent / "conformance"
PLAIN = parts((CONFORMANCE / "files" / "lattice-middle.lcq").read_bytes())
MANY = Record(2, struct.pack("<H", 64))  # tiles of 64 pixels


def sized(file: Parts, width: int, height: int) -> Parts:
    """The file with another size in its header."""
    return file.with_field("width", width).with_field("height", height)


def tiled(width: int, height: int, *tiles: Tile) -> bytes:
    """A file that claims so many pixels in tiles of 64 pixels a side; its table has the rows given."""
    return sized(replace(PLAIN, records=(MANY,), tiles=tiles), width, height).data()


def extended(*records: Record) -> bytes:
    """The plain file with extensions."""
    return replace(PLAIN, records=records).data()


HOSTILE = {
    "2^28 pixels from few bytes": sized(PLAIN, 1 << 14, 1 << 14).data(),
    "2^28 pixels from bytes that are not there": replace(
        sized(PLAIN, 1 << 14, 1 << 14), tiles=(Tile(b"", 0, length=1 << 16),)
    ).data(),
    "sides of 65,535": sized(PLAIN, 65_535, 65_535).data(),
    "65,536 tiles, no table": tiled(1 << 14, 1 << 14, Tile(b"", 0)),
    "65,536 tiles, no payloads": tiled(1 << 14, 1 << 14, *((1 << 16) * [Tile(b"", 0, length=1)])),
    "65,536 tiles of 4 GiB": tiled(1 << 14, 1 << 14, *((1 << 16) * [Tile(b"", 0, length=(1 << 32) - 1)])),
    "a strip of tiles": tiled(65_535, 4096, *((1 << 16) * [Tile(b"", 0, length=1)])),
    "a header of 2^26 bytes": PLAIN.data(length=1 << 26),
    "a header of 2^32 - 1 bytes": PLAIN.data(length=(1 << 32) - 1),
    "a payload of 2^32 - 1 bytes": PLAIN.with_tile(0, replace(PLAIN.tiles[0], length=(1 << 32) - 1)).data(),
    "an extension of 2^32 - 1 bytes": extended(Record(200, b"", claimed=(1 << 32) - 1)),
    "10,000 extensions": extended(*(10_000 * [Record(200, b"")])),
    "256 extensions and a critical one": extended(*(255 * [Record(200, bytes(900))]), Record(127, b"")),
    "a profile of 16 MiB that is not there": extended(Record(129, b"", claimed=1 << 24)),
    "a basis of 16 MiB that is not there": extended(Record(1, b"", claimed=1 << 24)),
    "a basis of 1 MiB": extended(Record(1, bytes(1 << 20))),
    "alpha of 2^32 - 1 bytes": PLAIN.with_field("samples", 0x14)
    .with_tile(0, replace(PLAIN.tiles[0], payload=b"\xff\xff\xff\xff" + PLAIN.tiles[0].payload))
    .data(),
}

MEASURE = """
import json, pathlib, resource, sys, time
import latticecodec
folder, model = map(pathlib.Path, sys.argv[1:])
codec, found = latticecodec.load(model, "cpu"), {}
codec.decode((model.parent.parent / "files" / "lattice-middle.lcq").read_bytes())
files = {path.name: path.read_bytes() for path in folder.iterdir()}
present = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (present + (64 << 20), resource.RLIM_INFINITY))
for name, data in files.items():
    for _ in range(3):
        began = time.process_time()
        try:
            codec.decode(data)
            error = "a picture"
        except Exception as caught:
            error = type(caught).__name__
        found.setdefault(name, []).append((time.process_time() - began, error))
print(json.dumps(found))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to measure memory")
def test_hostile_headers_cost_little(tmp_path: Path) -> None:
    """In a process that may not take 64 MiB more than it has after imports and with a model loaded."""
    for number, data in enumerate(HOSTILE.values()):
        (tmp_path / str(number)).write_bytes(data)
    command = [sys.executable, "-c", MEASURE, str(tmp_path), str(CONFORMANCE / "models" / "lattice")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    measured = json.loads(result.stdout)
    told = {name: measured[str(number)] for number, name in enumerate(HOSTILE)}
    errors = {error for runs in told.values() for _, error in runs}
    assert errors <= {"FormatError", "LimitError", "VersionError"}, told
    assert {name: runs for name, runs in told.items() if min(seconds for seconds, _ in runs) >= 0.1} == {}

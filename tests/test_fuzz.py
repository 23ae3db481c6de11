"""Mutated files give errors or pictures: regressions, random mutations, every single bit, every truncation."""

import zlib
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fuzz.mutations import PARTS, RAW, REPAIRED, WEIGHTS, Mutator
from fuzz.target import CONFORMANCE, codecs, index_crc, outcome, seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from lcq_parts import FIELDS, LENGTH, parts

from latticecodec import FormatError

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore"),  # of Pillow, about damaged metadata
]

REGRESSIONS = sorted((Path(__file__).parent / "fuzz" / "regressions").glob("*.lcq"))
RANDOM = st.integers(0, 2**32).map(Random)  # st.randoms draws subnormal floats, which training may have switched off
SEEDS = seeds()
MUTATOR = Mutator(SEEDS, index_crc)
OUTCOMES = {"picture", "picture, damaged", "FormatError", "ChecksumError", "VersionError", "LimitError", "ModelError"}
RANGES = {"B": (0, 255), "H": (0, 65_535), "h": (-32_768, 32_767)}
quick = settings(max_examples=25, derandomize=True, deadline=None)


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_went_wrong_once(path: Path) -> None:
    assert outcome(path.read_bytes()) in OUTCOMES


def test_files_as_they_are_give_pictures() -> None:
    assert len(SEEDS) > 60
    assert {outcome(data) for data in SEEDS} == {"picture"}


def test_random_mutations() -> None:
    """As `make fuzz` makes them; an error is as good as a picture, anything else comes through."""
    random = Random(0)
    found = {outcome(MUTATOR.mutate(random.choice(SEEDS), random)[1]) for _ in range(300)}
    assert {"picture", "FormatError", "ChecksumError", "VersionError"} <= found <= OUTCOMES


@given(st.binary(max_size=100), st.booleans(), RANDOM)
@settings(quick, max_examples=200)
def test_anything_can_be_mutated(data: bytes, ours: bool, random: Random) -> None:
    kind, _ = MUTATOR.mutate(SEEDS[0][:14] * ours + data, random)
    assert kind in WEIGHTS


def test_a_tenth_of_all_mutations_has_right_checksums() -> None:
    assert sum(WEIGHTS.values()) == 1000
    assert sum(WEIGHTS[kind] for kind in REPAIRED) >= 100
    random = Random(1)
    for make in PARTS.values():
        for _ in range(20):
            file = make(parts(random.choice(SEEDS)), parts(random.choice(SEEDS)), random)
            data = file.data()
            end = int.from_bytes(data[LENGTH : LENGTH + 4], "little")
            assert int.from_bytes(data[end : end + 4], "little") == zlib.crc32(data[:end])


@pytest.mark.parametrize("kind", list(PARTS))
@given(source=st.sampled_from(SEEDS), other=st.sampled_from(SEEDS), random=RANDOM)
@quick
def test_parts_with_right_checksums(kind: str, source: bytes, other: bytes, random: Random) -> None:
    assert outcome(PARTS[kind](parts(source), parts(other), random).data()) in OUTCOMES


@pytest.mark.parametrize("kind", list(RAW))
@given(source=st.sampled_from(SEEDS), other=st.sampled_from(SEEDS), random=RANDOM)
@quick
def test_bytes(kind: str, source: bytes, other: bytes, random: Random) -> None:
    assert outcome(RAW[kind](source, other, random)) in OUTCOMES


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in ("magic", "model")])
@given(source=st.sampled_from(SEEDS), data=st.data())
@quick
def test_every_field_with_right_checksums(name: str, source: bytes, data: Any) -> None:
    value = data.draw(st.integers(*RANGES[FIELDS[name][1][1:]]))
    assert outcome(parts(source).with_field(name, value).data()) in OUTCOMES


@given(source=st.sampled_from(SEEDS), payload=st.binary(max_size=60))
@settings(quick, max_examples=60)
def test_any_payload_is_an_error_or_a_picture(source: bytes, payload: bytes) -> None:
    """Also where its index CRC is right: coordinates that no encoder would choose."""
    file = parts(source)
    file = file.with_tile(0, type(file.tiles[0])(payload, 0))
    assert outcome(file.data()) in OUTCOMES
    assert outcome(index_crc(file).data()) in OUTCOMES


@pytest.mark.parametrize("name", ["metadata", "tiles-alpha-16"])
def test_every_bit_and_every_truncation_is_noticed(name: str) -> None:
    """Of a file of 1.7 KB with all metadata and alpha, and of one of 3 KB with tiles."""
    data = (CONFORMANCE / "files" / f"{name}.lcq").read_bytes()
    codec = codecs()[bytes(parts(data).get("model"))]  # type: ignore[arg-type]
    for position in range(len(data)):
        with pytest.raises(FormatError):
            codec.decode(data[:position])
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            with pytest.raises(FormatError):
                codec.decode(bytes(damaged))

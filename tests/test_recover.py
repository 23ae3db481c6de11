"""Damaged files: what verify and info say of them, and what decode and decompress save of them."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from command_line import fails_with, lcodec
from PIL import Image
from test_tiles import flipped

import latticecodec
from latticecodec import Codec, Damage, LimitError, TargetError, container
from latticecodec.container import Box, Tile


@pytest.fixture(scope="module")
def tiled(tiny: Codec, photo: Image.Image) -> bytes:
    """The photograph of 320x208 pixels in 5 x 4 tiles of 64 pixels."""
    return tiny.encode(photo, tile=64)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the process in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_damage_of_a_region_is_told_as_the_region_has_it(tiny: Codec, tiled: bytes) -> None:
    """Tile 0 reaches into the region, tile 5 below it lies beside it, tile 19 is far away."""
    told: list[Damage] = []
    bad = flipped(tiled, 0, 5, 19)
    part = tiny.decode(bad, (50, 40, 80, 20), as_array=True, on_damage=told.append)
    assert [(damage.tile, damage.inside) for damage in told] == [(0, Box(50, 40, 14, 20)), (5, None)]
    assert told[1].box == Box(0, 64, 64, 64)
    assert (part[:, :14] == 128).all()
    assert not (part[:, 14:] == 128).all()


def test_recover_a_region(here: Path, tiny_model: Path, tiled: bytes) -> None:
    own = ["--recover", "--force", "--model", tiny_model]
    (here / "bad.lcq").write_bytes(flipped(tiled, 0, 5, 19))
    done = lcodec("decompress", "bad.lcq", "-o", "part.png", "--region", "50,40,80,20", *own)
    assert done.exit_code == 3
    inside, beside = done.stderr.splitlines()
    assert inside.startswith("bad.lcq: 14x20 pixels at 50,40 of the picture are grey")
    assert beside.startswith("bad.lcq: 64x64 pixels at 0,64 of the picture are damaged; they are not in the region")
    done = lcodec("decompress", "bad.lcq", "-o", "part.png", "--region", "128,64,60,20", *own)
    assert (done.exit_code, done.stderr) == (0, "")


def test_recover_where_nothing_is_left(tiny: Codec) -> None:
    """Of a picture that is stored, so that nothing but tiles is read, and none of these can be."""
    data = tiny.encode(Image.new("L", (24, 16)), lossless=True)
    damage: list[Damage] = []
    told: list[tuple[int, int]] = []
    bad = data[:-1] + bytes([data[-1] ^ 1])
    picture = tiny.decode(bad, on_damage=damage.append, report=lambda *given: told.append(given))
    assert (len(damage), picture.getextrema()) == (1, (128, 128))
    assert told == [(1, 1)]


def test_recover_with_bytes_behind_the_end(here: Path, tiny_model: Path, tiled: bytes) -> None:
    own = ["--model", tiny_model]
    (here / "long.lcq").write_bytes(tiled + b"something")
    fails_with(lcodec("decompress", "long.lcq", *own), "long.lcq: the file goes on to byte")
    done = lcodec("decompress", "long.lcq", "--recover", "--json", *own)
    assert done.exit_code == 3
    assert done.stderr == (f"long.lcq: 9 bytes behind the end of the file, from byte {len(tiled):,} on: left out\n")
    report = json.loads(done.stdout)
    assert (report["damaged_tiles"], report["excess_bytes"]) == ([], 9)
    (here / "whole.lcq").write_bytes(tiled)
    assert lcodec("decompress", "whole.lcq", "--recover", *own).exit_code == 0
    assert (here / "whole.png").read_bytes() == (here / "long.png").read_bytes()


def test_verify_names_all_damaged_tiles(here: Path, tiny_model: Path, tiled: bytes) -> None:
    own = ["--model", tiny_model]
    (here / "bad.lcq").write_bytes(flipped(tiled, 0, 7, 8, 9, 12))
    told = lcodec("verify", "bad.lcq", *own)
    fails_with(told, "bad.lcq: damaged tiles, of 20: 0, 7-9, 12 (tile 0: its checksum", "--recover")
    (here / "short.lcq").write_bytes(tiled[: tiled.index(container.Reader(tiled).tile(15).payload) + 1])
    fails_with(lcodec("verify", "short.lcq", *own), "short.lcq: the file ends at", "of 20: 15-19 (tile 15: ")
    (here / "long.lcq").write_bytes(tiled + b"?")
    fails_with(lcodec("verify", "long.lcq", *own), "long.lcq: the file goes on to")
    fails_with(lcodec("verify", "-", *own, data=tiled + b"?"), "standard input: the file goes on to")


def test_nothing_is_to_be_recovered_of_a_picture_in_one_tile(
    here: Path, tiny: Codec, tiny_model: Path, photo: Image.Image
) -> None:
    (here / "one.lcq").write_bytes(flipped(tiny.encode(photo, tile=0), 0))
    told = lcodec("decompress", "one.lcq", "--model", tiny_model)
    fails_with(told, "one.lcq: tile 0: its checksum does not match")
    assert "--recover" not in told.stderr


def test_reports_say_how_a_picture_is_cut(here: Path, tiny_model: Path, photo: Image.Image) -> None:
    photo.save("photo.png")
    for tile, side, tiles in ((64, 64, 20), (0, 320, 1)):
        own = ["--tile", tile, "--force", "--json", "--model", tiny_model]
        assert json.loads(lcodec("compress", "photo.png", *own).stdout)["tiles"] == tiles
        facts = json.loads(lcodec("info", "photo.lcq", "--json").stdout)
        assert (facts["tiles"], facts["tile_side"]) == (tiles, side)


def test_verify_finds_indices_that_are_not_those_of_the_encoder(here: Path, tiny_model: Path, tiled: bytes) -> None:
    """Two tiles that changed places: every payload fits its own checksum, decoded they do not."""
    header, tiles = container.read(tiled)
    forged = [Tile(tiles[2].payload, tiles[1].indices_crc), Tile(tiles[1].payload, tiles[2].indices_crc)]
    (here / "forged.lcq").write_bytes(container.write(header, [tiles[0], *forged, *tiles[3:]]))
    assert lcodec("info", "forged.lcq").exit_code == 0
    fails_with(lcodec("verify", "forged.lcq", "--model", tiny_model), "forged.lcq: damaged tiles, of 20: 1-2 (")


def test_info_names_the_file(here: Path, tiled: bytes) -> None:
    (here / "bad.lcq").write_bytes(flipped(tiled, 7))
    fails_with(lcodec("info", "bad.lcq"), "bad.lcq: tile 7: its checksum")
    fails_with(lcodec("info", "-", data=tiled[:9]), "standard input: the file ends at byte 9")


def test_the_limit_on_pixels_can_be_lowered(here: Path, tiny: Codec, tiny_model: Path, tiled: bytes) -> None:
    for refused in (
        lambda: tiny.decode(tiled, max_pixels=66_559),
        lambda: tiny.decode(tiled, (0, 0, 1, 1), as_array=True, max_pixels=66_559),
        lambda: latticecodec.decode(tiled, tiny_model, max_pixels=66_559),
        lambda: tiny.decode_indices(tiled, max_pixels=66_559),
    ):
        with pytest.raises(LimitError, match="320x208 pixels is over the limit of 66,559"):
            refused()
    assert latticecodec.decode(tiled, tiny_model, "cpu", max_pixels=66_560).size == (320, 208)
    (here / "photo.lcq").write_bytes(tiled)
    refused_too = lcodec("decompress", "photo.lcq", "--max-pixels", "66559", "--model", tiny_model)
    fails_with(refused_too, "photo.lcq: 320x208 pixels is over the limit of 66,559")
    assert lcodec("decompress", "photo.lcq", "--max-pixels", "66560", "--model", tiny_model).exit_code == 0


def test_the_limit_on_pixels_can_be_raised(here: Path, tiny: Codec, tiny_model: Path, photo: Image.Image) -> None:
    """A region of a picture of 1.6 billion pixels, of which there is but the first tile."""
    small = tiny.encode(photo.resize((384, 384)), tile=192)
    header, tiles = container.read(small)
    large = dataclasses.replace(header, width=40_000, height=40_000)
    data = container.write(large, [tiles[0]] + [Tile(b"", 0)] * (large.tiles - 1))
    with pytest.raises(LimitError, match="over the limit of 268,435,456"):
        tiny.decode(data, (20, 30, 40, 50))
    expected = tiny.decode(small, (20, 30, 40, 50), as_array=True)
    part = tiny.decode(data, (20, 30, 40, 50), as_array=True, max_pixels=40_000**2)
    np.testing.assert_array_equal(part, expected)
    again = latticecodec.decode(data, tiny_model, "cpu", (20, 30, 40, 50), as_array=True, max_pixels=40_000**2)
    np.testing.assert_array_equal(again, expected)
    (here / "large.lcq").write_bytes(data)
    own = ["--region", "20,30,40,50", "--model", tiny_model]
    fails_with(lcodec("decompress", "large.lcq", *own), "over the limit")
    assert lcodec("decompress", "large.lcq", "--max-pixels", 40_000**2, *own).exit_code == 0


@pytest.mark.parametrize("region", [(0.0, 0, 8, 8), (0, 0, 8), (0, 0, 8, 8, 8), ("0", "0", "8", "8"), 8, "all"])
def test_a_region_that_is_not_four_integers(tiny: Codec, tiled: bytes, region: object) -> None:
    with pytest.raises(TargetError, match="is not four integers: "):
        tiny.decode(tiled, region)


@pytest.mark.parametrize("region", [(0, 0, 2**70, 1), (-(2**70), 0, 1, 1), (0, 10**5000, 1, 1), (0, 0, 0, 2)])
def test_a_region_that_is_not_inside(tiny: Codec, tiled: bytes, region: tuple[int, ...]) -> None:
    with pytest.raises(TargetError, match=r"is not inside of a picture of \d+x\d+: \(x, y, width, height\)"):
        tiny.decode(tiled, region)


def test_a_region_of_numpy_integers(tiny: Codec, tiled: bytes) -> None:
    assert tiny.decode(tiled, np.array([1, 2, 30, 40])).size == (30, 40)


def test_any_kind_of_bytes(tiny: Codec, tiny_model: Path, tiled: bytes) -> None:
    expected = np.asarray(tiny.decode(tiled))
    for data in (memoryview(tiled), bytearray(tiled), memoryview(np.frombuffer(tiled, np.int8))):
        np.testing.assert_array_equal(np.asarray(tiny.decode(data)), expected)
        assert latticecodec.decode(data, tiny_model, "cpu", (0, 0, 9, 8)).size == (9, 8)
        assert latticecodec.read_header(data) == latticecodec.read_header(tiled)


def test_help_tells_what_region_and_recover_mean() -> None:
    told = " ".join(lcodec("decompress", "--help").stdout.split())
    assert "in the stored picture, before EXIF orientation" in told
    assert "Pixels around a damaged tile are off as well" in told

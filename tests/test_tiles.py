"""Tiles: one picture in independent streams, without seams; regions and what is left of a damaged file."""

import dataclasses

import numpy as np
import pytest
from conftest import psnr
from PIL import Image

from latticecodec import ChecksumError, Codec, Damage, FormatError, TargetError, container, read_header
from latticecodec.codec import EncodeOptions, indices_sha256, tiling
from latticecodec.config import PATCH
from latticecodec.container import Box, Header
from latticecodec.entropy.coder import Float32

TILE = 64
REGIONS = [(0, 0, 320, 208), (0, 0, 1, 1), (319, 207, 1, 1), (60, 60, 9, 9), (17, 31, 203, 101), (128, 64, 64, 64)]


@pytest.fixture(scope="module")
def tiled(tiny: Codec, photo: Image.Image) -> bytes:
    """The photograph of 320x208 pixels in 5 x 4 tiles."""
    return tiny.encode(photo, tile=TILE)


def array(codec: Codec, data: bytes, region: tuple[int, int, int, int] | None = None) -> np.ndarray:
    """Decoded samples, signed, so that they can be subtracted."""
    return codec.decode(data, region, as_array=True).astype(int)  # [H, W, 3]


def test_tiles_are_in_the_header(tiled: bytes, tiny: Codec, photo: Image.Image) -> None:
    header = read_header(tiled)
    assert (header.tile, header.tiles, header.version) == (TILE, 20, (1, 1))
    assert read_header(tiny.encode(photo)).tile is None
    assert read_header(tiny.encode(photo, tile=320)).tile is None  # the picture is no larger than a tile
    assert read_header(tiny.encode(photo, tile=0)).tile is None


def test_large_pictures_are_tiled_without_asking() -> None:
    assert tiling.tile_side(None, 2048, 2048) is None
    assert tiling.tile_side(None, 2048, 2049) == tiling.TILE
    assert tiling.tile_side(0, 2048, 2049) is None


@pytest.mark.parametrize("side", [-64, 1, 100, 65_536])
def test_side_that_the_format_does_not_have(tiny: Codec, photo: Image.Image, side: int) -> None:
    with pytest.raises(TargetError, match=f"tile (of )?{side} (pixels|is not an integer)"):
        tiny.encode(photo, tile=side)


@pytest.mark.parametrize("effort", [0, 1, 2, 4])
def test_tiles_leave_no_seams(tiny: Codec, photo: Image.Image, effort: int) -> None:
    """At effort 0 the indices are those of the picture in one piece; only the entropy coding knows of tiles."""
    whole, tiled = (tiny.encode_detailed(photo, EncodeOptions(effort=effort, tile=tile)) for tile in (0, TILE))
    assert abs(psnr(photo, tiny.decode(whole.data)) - psnr(photo, tiny.decode(tiled.data))) < 0.02
    if effort == 0:
        np.testing.assert_array_equal(whole.indices, tiled.indices)
        assert whole.indices_sha256 == tiled.indices_sha256 == indices_sha256(whole.indices)


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_is_that_part_of_the_picture(tiny: Codec, tiled: bytes, region: tuple[int, int, int, int]) -> None:
    x, y, width, height = region
    whole, part = array(tiny, tiled), array(tiny, tiled, region)
    assert part.shape == (height, width, 3)
    assert abs(part - whole[y : y + height, x : x + width]).max() <= 1


def test_a_region_of_a_picture_in_one_tile(tiny: Codec, photo: Image.Image) -> None:
    data = tiny.encode(photo)
    assert abs(array(tiny, data, (50, 60, 70, 80)) - array(tiny, data)[60:140, 50:120]).max() <= 1


def test_tile_by_tile_is_the_whole(tiny: Codec, tiled: bytes) -> None:
    whole = array(tiny, tiled)
    for box in read_header(tiled).boxes():
        part = array(tiny, tiled, (box.left, box.top, box.width, box.height))
        assert abs(part - whole[box.top : box.bottom, box.left : box.right]).max() <= 1


@pytest.mark.parametrize(
    "region", [(-1, 0, 5, 5), (0, 0, 0, 5), (0, 0, 5, 0), (316, 0, 5, 5), (0, 204, 5, 5), (400, 400, 1, 1)]
)
def test_a_region_outside_of_the_picture(tiny: Codec, tiled: bytes, region: tuple[int, int, int, int]) -> None:
    with pytest.raises(TargetError, match="not inside of a picture of 320x208"):
        tiny.decode(tiled, region)


def test_a_region_needs_only_its_tiles(tiny: Codec, tiled: bytes) -> None:
    damaged = flipped(tiled, 19)
    assert tiny.decode(damaged, region=(0, 0, 64, 64)).size == (64, 64)
    with pytest.raises(ChecksumError, match="tile 19"):
        tiny.decode(damaged, region=(256, 144, 64, 64))


def flipped(data: bytes, *numbers: int) -> bytes:
    """The file with a bit flipped in the payload of each of these tiles."""
    reader = container.Reader(data)
    for number in numbers:
        at = data.index(reader.tile(number).payload)
        data = data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :]
    return data


def test_what_is_left_of_a_damaged_file(tiny: Codec, tiled: bytes) -> None:
    told: list[Damage] = []
    rest = tiny.decode(flipped(tiled, 0, 7), as_array=True, on_damage=told.append)
    assert [(damage.tile, damage.box) for damage in told] == [(0, Box(0, 0, 64, 64)), (7, Box(128, 64, 64, 64))]
    assert all(damage.inside == damage.box for damage in told)
    assert "tile 7: its checksum" in str(told[1].error)
    whole = array(tiny, tiled)
    assert (rest[:64, :64] == 128).all()
    assert (rest[64:128, 128:192] == 128).all()
    fringe = PATCH * tiny.config.synthesis_reach  # pixels; beyond them no pixel depends on a damaged tile
    intact = np.ones((208, 320), bool)
    for damage in told:
        grown = damage.box.grown(fringe, 320, 208)
        intact[grown.top : grown.bottom, grown.left : grown.right] = False
    assert fringe == 32
    assert intact[:, 224:].all()
    assert intact.mean() > 0.5
    np.testing.assert_array_equal(rest[intact], whole[intact])
    assert abs(rest[64:128, 192:200] - whole[64:128, 192:200]).max() > 1  # of an intact tile, but in the fringe


def test_what_is_left_of_a_truncated_file(tiny: Codec, tiled: bytes) -> None:
    told: list[Damage] = []
    end = tiled.index(container.Reader(tiled).tile(15).payload)
    rest = tiny.decode(tiled[: end + 1], as_array=True, on_damage=told.append)
    assert [damage.tile for damage in told] == [15, 16, 17, 18, 19]
    assert (rest[192:] == 128).all()
    with pytest.raises(FormatError, match="truncated"):
        tiny.decode(tiled[: end + 1])


def test_nothing_is_left_without_a_header(tiny: Codec, tiled: bytes) -> None:
    with pytest.raises(FormatError, match="header"):
        tiny.decode(tiled[:60], on_damage=lambda damage: None)


def test_every_tile_damaged(tiny: Codec, tiled: bytes) -> None:
    told: list[Damage] = []
    rest = tiny.decode(flipped(tiled, *range(20)), as_array=True, on_damage=told.append)
    assert len(told) == 20
    assert (rest == 128).all()


def test_targets_hold_with_tiles(tiny: Codec, photo: Image.Image) -> None:
    data = tiny.encode(photo, size=12_000, tile=128)
    assert 11_600 < len(data) <= 12_000
    assert read_header(data).tiles == 6


def test_progress_is_told(tiny: Codec, photo: Image.Image, tiled: bytes) -> None:
    told: list[tuple[int, int]] = []
    tiny.decode(tiled, report=lambda done, total: told.append((done, total)))
    shares = [done / total for done, total in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(told) == 21  # twenty tiles, one area


@pytest.mark.parametrize(
    ("width", "height", "tile"), [(5000, 2100, 768), (4097, 64, 64), (9000, 9000, 8192), (10, 10, None)]
)
def test_areas_are_all_tiles_once(width: int, height: int, tile: int | None) -> None:
    header = Header(width, height, 3, bytes(8), 0, 0.0, tile=tile)
    areas = tiling.areas(header)
    assert sorted(number for area in areas for number in area.tiles) == list(range(header.tiles))
    assert sum(area.box.width * area.box.height for area in areas) == width * height
    for area in areas:
        assert all(area.box.meets(header.box(number)) for number in area.tiles)


def test_large_pictures_are_worked_on_in_areas(
    tiny: Codec, photo: Image.Image, tiled: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What areas the networks work on changes no index at effort 0, and no pixel by more than one code value."""
    whole = tiny.encode(photo, tile=TILE, effort=0)
    pixels = array(tiny, tiled)
    monkeypatch.setattr(tiling, "AREA", 128)
    assert len(tiling.areas(read_header(tiled))) == 6
    assert tiny.encode(photo, tile=TILE, effort=0) == whole
    assert abs(array(tiny, tiled) - pixels).max() <= 1
    assert abs(len(tiny.encode(photo, tile=TILE)) / len(tiled) - 1) < 0.01


@pytest.mark.parametrize(("effort", "tune", "margin"), [(0, "psnr", 0), (1, "psnr", 2), (1, "ms-ssim", 12)])
def test_the_network_sees_no_more_around_an_area_than_what_is_looked_at(
    tiny: Codec,
    photo: Image.Image,
    tiled: bytes,
    monkeypatch: pytest.MonkeyPatch,
    effort: int,
    tune: str,
    margin: int,
) -> None:
    monkeypatch.setattr(tiling, "AREA", 128)
    seen, analysis = [], tiny.model.backend.analysis

    def seeing(x: Float32) -> Float32:
        seen.append(x.shape[1:])
        return analysis(x)

    monkeypatch.setattr(tiny.model.backend, "analysis", seeing)
    tiny.encode(photo, tile=TILE, effort=effort, tune=tune)
    around = PATCH * (margin + tiny.config.analysis_reach)
    first = tiling.areas(read_header(tiled))[0].box
    assert seen[0] == (min(first.height + around, photo.height), min(first.width + around, photo.width))


def test_a_forged_table_is_an_error(tiny: Codec, tiled: bytes) -> None:
    """Two tiles change places: all checksums of the container hold, the indices' do not, or the sizes differ."""
    header, tiles = container.read(tiled)
    tiles[0], tiles[19] = tiles[19], tiles[0]
    with pytest.raises(FormatError):
        tiny.decode(container.write(header, tiles))
    with pytest.raises(FormatError):
        tiny.decode(container.write(dataclasses.replace(header, tile=128), tiles[:6]))

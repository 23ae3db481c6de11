"""Exact colours in files: what is asked for without loss comes back bit for bit, and what lies over networks stays."""

import importlib
import io
import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import plain_container
import plain_exact
import pytest
from click.testing import CliRunner
from latticecodec.cli import main
from lcq_parts import Record, parts
from picture_examples import samples
from PIL import Image
from twelve_pages import page

import latticecodec
from latticecodec import Codec, FormatError, ModelError, TargetError, container
from latticecodec.codec import EncodeOptions
from latticecodec.container import Box
from latticecodec.picture import Pixels, Samples, exact

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("channels", "depth"), list(itertools.product((1, 2, 3, 4), (8, 16))))
def test_lossless_comes_back_bit_for_bit(channels: int, depth: int) -> None:
    """All modes and depths, in tiles and without, whole and in part; the second reader sees the same pixels."""
    for number, kind in enumerate(("noise", "flat", "few")):
        array = samples(70 + number, 131 - 40 * number, channels, depth, kind)
        for tile in (0, 64):
            data = latticecodec.encode(array, lossless=True, tile=tile)
            back = latticecodec.decode(data, as_array=True)
            assert back.dtype == array.dtype
            np.testing.assert_array_equal(back, array)
            part = latticecodec.decode(data, region=(3, 60, 40, 8), as_array=True)
            np.testing.assert_array_equal(part, array[60:68, 3:43])
        file, tiles = plain_exact.read(data)
        assert file.version == (1, 2)
        assert file.model == bytes(8)
        plain_exact.check_without_model(file, tiles)
        for tile_, found in zip(file.tiles, tiles, strict=True):
            webp_file = plain_exact.webp_files(tile_, found, depth // 8)[0]
            high = np.asarray(Image.open(io.BytesIO(webp_file)).convert("RGB"))
            colour = array if array.ndim == 3 else array[:, :, None]
            own = colour[tile_.top : tile_.top + tile_.height, tile_.left : tile_.left + tile_.width]
            np.testing.assert_array_equal(high[:, :, 0], own[:, :, 0] >> (depth - 8))


def test_lossless_keeps_metadata_and_needs_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latticecodec.zoo.loading.load", lambda *_: pytest.fail("a model was loaded"))
    picture = Pixels(samples(20, 30, 3, 8, "few"), icc=b"profile", exif=b"II*\0\x08\0\0\0\0\0", xmp=b"<x/>")
    data = latticecodec.encode(picture, lossless=True)  # type: ignore[arg-type]
    header = latticecodec.read_header(data)
    assert (header.icc, header.exif, header.xmp) == (picture.icc, picture.exif, picture.xmp)
    assert not header.names_model
    assert latticecodec.decode(data).info["icc_profile"] == picture.icc


def test_lossless_excludes_what_has_a_rate(tiny: Codec) -> None:
    for name, value in {
        "bpp": 1.0,
        "size": 1000,
        "psnr": 40.0,
        "embed_basis": True,
        "effort": 0,
        "tune": "psnr",
    }.items():
        with pytest.raises(TargetError, match="lossless keeps every pixel"):
            EncodeOptions(lossless=True, **{name: value})  # type: ignore[arg-type]


def test_any_codec_reads_what_names_no_model(tiny: Codec) -> None:
    array = samples(20, 30, 3, 8, "few")
    data = tiny.encode(array, lossless=True)
    np.testing.assert_array_equal(tiny.decode(data, as_array=True), array)
    assert tiny.decode_indices(data).shape == (0, 2, 2)


def half_exact(codec: Codec, picture: Samples, side: int | None = None) -> bytes:
    """A file of which the left half is exact."""
    pixels = Pixels(picture)
    encoding = codec.encode_detailed(pixels, EncodeOptions(exact=False, tile=side or 0))  # type: ignore[arg-type]
    header, tiles = container.read(encoding.data)
    columns = header.squares.columns
    mask = container.mask_of(number % columns < columns // 2 for number in range(header.squares.count))
    header = replace(header, exact=mask)
    whole = Box(0, 0, header.width, header.height)
    for number, box in enumerate(header.boxes()):
        if header.squares.any(box, True):
            own = picture[box.top : box.bottom, box.left : box.right]
            tiles[number] = replace(tiles[number], exact=exact.encode(own))
    assert header.squares.any(whole, False)
    return container.write(header, tiles)


def test_exact_squares_lie_over_what_the_networks_draw(tiny: Codec) -> None:
    """And no others change by that, in whole pictures and in regions across the border."""
    picture = samples(128, 192, 3, 8, "noise")
    for side in (None, 64):
        neural = tiny.decode(
            tiny.encode_detailed(picture, EncodeOptions(exact=False, tile=side or 0)).data, as_array=True
        )
        data = half_exact(tiny, picture, side)
        mixed = tiny.decode(data, as_array=True)
        np.testing.assert_array_equal(mixed[:, :64], picture[:, :64])
        np.testing.assert_array_equal(mixed[:, 64:], neural[:, 64:])
        part = tiny.decode(data, region=(50, 40, 70, 60), as_array=True)
        assert np.abs(part.astype(int) - mixed[40:100, 50:120]).max() <= 1
        inside = tiny.decode(data, region=(5, 6, 40, 30), as_array=True)
        np.testing.assert_array_equal(inside, picture[6:36, 5:45])


def test_an_exact_region_needs_its_own_tiles_alone(tiny: Codec) -> None:
    picture = samples(128, 192, 3, 8, "noise")
    data = bytearray(half_exact(tiny, picture, 64))
    data[-1] ^= 1  # in the last tile
    np.testing.assert_array_equal(tiny.decode(bytes(data), region=(0, 70, 64, 50), as_array=True), picture[70:120, :64])


def test_damage_of_exact_colours_is_that_of_their_tile(tiny: Codec) -> None:
    picture = samples(128, 192, 3, 8, "noise")
    file = parts(half_exact(tiny, picture, 64))
    payload = file.tiles[0].payload
    broken = file.with_tile(0, replace(file.tiles[0], payload=payload[:40] + bytes(40) + payload[80:])).data()
    with pytest.raises(FormatError, match="exact colours"):
        tiny.decode(broken)
    damaged: list[latticecodec.Damage] = []
    back = tiny.decode(broken, as_array=True, on_damage=damaged.append)
    assert [damage.tile for damage in damaged] == [0]
    assert (back[:64, :64] == 128).all()
    np.testing.assert_array_equal(back[64:, :64], picture[64:, :64])


def test_a_reader_of_1_1_refuses_by_name() -> None:
    data = latticecodec.encode(samples(20, 30, 3, 8, "few"), lossless=True)
    with pytest.raises(plain_container.VersionError, match="extension 3"):
        plain_container.read(data)


# ---- files that are none --------------------------------------------------------------------------------------------

ONE = latticecodec.encode(samples(70, 70, 3, 8, "few"), lossless=True)  # four squares
MASK = Record(container.EXACT, b"\xf0")


@pytest.mark.parametrize(
    ("records", "error"),
    [
        ((MASK,), ""),
        ((Record(container.EXACT, b"\xf8"),), "bits for more squares"),
        ((Record(container.EXACT, b""),), "has 0 bytes for 4 squares"),
        ((Record(container.EXACT, b"\xf0\0"),), "has 2 bytes for 4 squares"),
        ((MASK, MASK), "there twice"),
        ((Record(container.EXACT, b"\0"),), "exact colours and no exact square"),
    ],
)
def test_masks_that_are_none(records: tuple[Record, ...], error: str) -> None:
    data = replace(parts(ONE), records=records).data()
    if not error:
        container.read(data)
        plain_exact.read(data)
        return
    with pytest.raises(FormatError, match=error):
        container.read(data)
    with pytest.raises(plain_container.FormatError):
        plain_exact.read(data)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda old: b"\0\0", "runs past its end"),
        (lambda old: b"\xff" + old[1:], "runs past its end"),
        (lambda old: bytes(4), "no exact colours"),
        (lambda old: old + b"\1", "more than exact colours"),
        (lambda old: old[:28] + bytes([old[28] | 16]) + old[29:], "alpha of its own"),
        (lambda old: old[:4] + b"JUNK" + old[8:], "not a still lossless"),
    ],
)
def test_exact_colours_that_are_none(change: "object", error: str) -> None:
    file = parts(ONE)
    data = file.with_tile(0, replace(file.tiles[0], payload=change(file.tiles[0].payload))).data()  # type: ignore[operator]
    with pytest.raises(FormatError, match=error):
        latticecodec.decode(data)
    with pytest.raises(plain_container.FormatError):
        plain_exact.check_without_model(*plain_exact.read(data))


def test_a_model_is_needed_unless_all_is_exact(tiny: Codec) -> None:
    file = parts(half_exact(tiny, samples(64, 128, 3, 8, "noise"))).with_field("model", bytes(8))
    with pytest.raises(ModelError):
        latticecodec.decode(file.data())


# ---- on the command line, and with Pillow ---------------------------------------------------------------------------


def test_a_page_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--lossless, and what info and verify say of it, without a model."""
    monkeypatch.setattr("latticecodec.zoo.models_path", [])
    image = page("text", 96, 70)
    image.save(tmp_path / "page.png")
    run = CliRunner()
    packed, restored = tmp_path / "page.lcq", tmp_path / "back.png"
    result = run.invoke(main, ["compress", str(tmp_path / "page.png"), "--lossless", "--json"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["stored"], facts["model"], facts["quality"]) == (1.0, None, 100.0)
    assert (facts["effort"], facts["tune"]) == (None, None)  # which nothing was done by
    assert "stored         100.0 % of pixels" in run.invoke(main, ["info", str(packed)]).stdout
    assert "none needed" in run.invoke(main, ["info", str(packed)]).stdout
    assert json.loads(run.invoke(main, ["info", "--json", str(packed)]).stdout)["tune"] is None
    assert "no model needed" in run.invoke(main, ["verify", str(packed)]).stdout
    assert run.invoke(main, ["decompress", str(packed), "-o", str(restored)]).exit_code == 0
    np.testing.assert_array_equal(np.asarray(Image.open(restored)), np.asarray(image))


def test_lossless_is_no_quality(tmp_path: Path) -> None:
    page("text", 16, 16).save(tmp_path / "page.png")
    result = CliRunner().invoke(main, ["compress", str(tmp_path / "page.png"), "--lossless", "-q", "50"])
    assert result.exit_code == 1
    assert "--lossless exclude each other; give one" in result.stderr


def test_pillow_saves_without_loss(tmp_path: Path) -> None:
    importlib.import_module("latticecodec.pillow")
    image = page("screen", 96, 70)
    image.save(tmp_path / "page.lcq", lossless=True)
    with Image.open(tmp_path / "page.lcq") as back:
        np.testing.assert_array_equal(np.asarray(back), np.asarray(image))
    with pytest.raises(ValueError, match="lossless"):
        image.save(tmp_path / "page.lcq", lossless="yes")

"""Records of the header: known, unknown, malformed, too large, and one more."""

import dataclasses
import struct

import pytest
from container_files import HEADER, SMALL, TILE, extension, with_extensions

from latticecodec import FormatError, LimitError, VersionError, config
from latticecodec.container import (
    BASIS,
    EXTENSIONS_MAX,
    METADATA_MAX,
    TILES,
    TUNES,
    Header,
    extensions,
    read,
    read_header,
    write,
)
from latticecodec.lab.distortion import DISTORTIONS, FIDELITY_UNITS


@pytest.mark.parametrize("kind", [0, 4, 127])
def test_unknown_extension_that_must_be_understood(kind: int) -> None:
    with pytest.raises(VersionError, match=f"extension {kind} "):
        read(with_extensions(extension(kind, b"something new")))


def test_tune_is_told_and_may_be_ignored() -> None:
    for number, tune in ((b"\1", "ms-ssim"), (b"\2", "ssimulacra2")):
        tuned = write(dataclasses.replace(HEADER, tune=tune), [TILE])
        assert tuned == with_extensions(extension(128, number))
        assert read(tuned)[0].tune == tune
    assert read(SMALL)[0].tune == "psnr"
    assert tuple(TUNES.values()) == tuple(DISTORTIONS) == tuple(FIDELITY_UNITS) == config.TUNES
    for unknown in (b"\3", b"", b"\1\1"):
        assert read(with_extensions(extension(128, unknown)))[0].tune == "other"
    with pytest.raises(VersionError, match="'other' needs a newer"):
        write(dataclasses.replace(HEADER, tune="other"), [TILE])


@pytest.mark.parametrize("kind", [133, 200, 255])
def test_unknown_extension_that_may_be_ignored(kind: int) -> None:
    assert read(with_extensions(extension(kind, b"something new"))) == (HEADER, [TILE])
    basis = extension(BASIS, struct.pack("<2h", 7, -7))
    header, tiles = read(with_extensions(extension(kind, b"") + basis + extension(kind, b"twice")))
    assert header == dataclasses.replace(HEADER, basis=(7, -7))
    assert tiles == [TILE]


@pytest.mark.parametrize(
    ("extensions", "message"),
    [
        (b"\x80\0\0\0", "head runs past"),
        (b"\x80\x01\0\0\0", "runs past"),
        (b"\x80\xff\xff\xff\xff", "4,294,967,295 bytes runs past"),
        (extension(BASIS, b""), "basis"),
        (extension(BASIS, b"\0\0\0"), "basis"),
        (2 * extension(BASIS, b"\0\0"), "basis"),
        (extension(TILES, b"\x40"), "two bytes"),
        (extension(128, b"\0") + extension(TILES, b"\x40\0"), "not the first"),
        (2 * extension(129, b"a profile"), "ICC metadata is there twice"),
    ],
)
def test_malformed_extension(extensions: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(with_extensions(extensions))


@dataclasses.dataclass(frozen=True)
class Captioned(Header):
    """A header with one field more."""

    caption: str = ""


def test_a_new_record_is_a_field_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both directions read the table, so that nothing else of the container changes; older readers pass it over."""
    row = extensions.Record(
        199, "caption", "a caption", str.encode, bytes.decode, absent="", most=20, wrong="a caption is there twice"
    )
    header = Captioned(**dataclasses.asdict(HEADER), caption="a harbour")
    with monkeypatch.context() as patch:
        patch.setattr("latticecodec.container.extensions.RECORDS", (*extensions.RECORDS, row))
        patch.setattr("latticecodec.container.file.Header", Captioned)
        data = write(header, [TILE])
        assert data == with_extensions(extension(199, b"a harbour"))
        assert read(data) == (header, [TILE])
        assert write(dataclasses.replace(header, caption=""), [TILE]) == SMALL
        with pytest.raises(FormatError, match="a caption is there twice: damaged"):
            read(with_extensions(2 * extension(199, b"a harbour")))
        with pytest.raises(LimitError, match="a caption of 21 bytes: beyond the limit of 20"):
            write(dataclasses.replace(header, caption="a" * 21), [TILE])
    assert read(data) == (HEADER, [TILE])


def test_limits_of_extensions() -> None:
    assert read(with_extensions(EXTENSIONS_MAX * extension(200, b""))) == (HEADER, [TILE])
    with pytest.raises(LimitError, match="more than 256 extensions"):
        read(with_extensions((EXTENSIONS_MAX + 1) * extension(200, b"")))
    largest = dataclasses.replace(HEADER, exif=bytes(METADATA_MAX))
    assert read_header(write(largest, [TILE])).exif == largest.exif
    with pytest.raises(LimitError, match="EXIF metadata of 16,777,217 bytes"):
        write(dataclasses.replace(HEADER, exif=bytes(METADATA_MAX + 1)), [TILE])
    with pytest.raises(LimitError, match="XMP metadata"):
        read(with_extensions(extension(131, bytes(METADATA_MAX + 1))))


def test_a_basis_that_would_not_be_read_is_not_written() -> None:
    for wrong in ((), (0,) * 4097):
        with pytest.raises(FormatError, match="embedded basis"):
            write(dataclasses.replace(HEADER, basis=wrong), [TILE])

"""Files whose stored pixels are none: told by `verify` as by a decode; what else keeps a sound file from being read."""

from pathlib import Path

import pytest
from command_line import lcodec
from PIL import Image

import latticecodec
from latticecodec import FormatError, LcqError
from latticecodec.bulk import Task
from latticecodec.container import reader_of
from latticecodec.picture import vp8l

CONFORMANCE = Path(__file__).parent / "conformance"
INVALID = sorted(path.stem for path in (CONFORMANCE / "invalid").glob("*.lcq"))
SOUND = CONFORMANCE / "files" / "lossless-tiles.lcq"


@pytest.fixture(autouse=True)
def _models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latticecodec.zoo, "models_path", [CONFORMANCE / "models"])


def test_what_verifies_decodes() -> None:
    """No file that must be refused is ok, alone or in a collection."""
    done = lcodec("verify", *(CONFORMANCE / "invalid" / f"{name}.lcq" for name in INVALID))
    assert done.stdout == ""
    assert all(f"{name}.lcq: " in done.stderr for name in INVALID)
    checked = Task("verify", device="cpu").ready()
    for name in ("alpha-damaged", "exact-size", "joint-twice"):
        with pytest.raises(FormatError, match=r"alpha|exact colours"):
            checked(name, (CONFORMANCE / "invalid" / f"{name}.lcq").read_bytes())
    assert lcodec("verify", SOUND).exit_code == 0


def test_want_of_memory_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a sound tile filled with grey for it."""

    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(vp8l, "WebPImageFile", full)
    damaged: list[object] = []
    with pytest.raises(LcqError, match="not enough memory for a picture of this size"):
        latticecodec.codec.pixels_of(None, reader_of(SOUND), None, damaged.append)
    assert damaged == []


def test_a_limit_of_pillows_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    told = r"squares of 2048 x 2048 pixels are more than Pillow's Image\.MAX_IMAGE_PIXELS allows; raise that first"
    with pytest.raises(LcqError, match=told) as caught:
        latticecodec.decode(SOUND)
    assert not isinstance(caught.value, FormatError)

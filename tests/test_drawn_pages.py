"""What docs/pages.py tells of a page: its files beside those of AVIF and lossless WebP."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image
from twelve_pages import page

from latticecodec import Codec

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """docs/pages.py, which is no part of the package."""
    monkeypatch.syspath_prepend(str(DOCS))
    return __import__("pages")


def test_a_point_is_beaten_by_fewer_bytes_at_no_less_psnr(pages: ModuleType) -> None:
    theirs = pages.Point(1000, 40.0)
    assert pages.Point(999, 40.0).beats(theirs)
    assert not pages.Point(1000, 41.0).beats(theirs)
    assert not pages.Point(900, 39.9).beats(theirs)


def test_what_is_told_of_a_page(pages: ModuleType) -> None:
    lost = pages.Point(1000, 40.0)
    found = pages.Found(0.97, (30.0, 35.0, 34.9, 40.0, 99.0), (lost, pages.Point(1500, 45.0)), (lost,))
    assert str(found) == "0.970 | 30.0 35.0 34.9 40.0 99.0 FALLS | 1 of 2; not 1,000 bytes at 40.0 dB"
    assert str(pages.Found(1.004, (30.0,) * 5, (), ())).startswith("1.004 OVER | ")
    assert not pages.Found(0.97, (30.0, 34.94, 34.9, 40.0, 99.0), (), ()).falls


def test_the_files_of_a_page(pages: ModuleType, lattice: Codec) -> None:
    """Pixel art is exact at every quality, in less than AVIF takes for any of its points."""
    found = pages.look(lattice, page("pixels", 192, 128), pages.TOLD)
    assert found.told == (99.0,) * 5
    assert 0.5 < found.share <= 1
    assert found.points
    assert not found.lost


def test_exact_is_99_decibels(pages: ModuleType) -> None:
    picture = page("pixels", 32, 32)
    assert pages.decibel(np.asarray(picture), np.asarray(picture)) == 99.0
    assert pages.decibel(np.asarray(Image.new("RGB", (32, 32))), np.asarray(picture)) < 20

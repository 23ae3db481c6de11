"""Drawn pages: the same for a seed, of every kind, and their share of the crops."""

from collections import Counter

import pytest
import torch

from latticecodec.lab.training import data
from latticecodec.lab.training.data import Crops
from latticecodec.lab.training.drawn import drawn_page, pasted

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_page_depends_on_its_seed_alone() -> None:
    assert torch.equal(drawn_page(3, 96, 128), drawn_page(3, 96, 128))
    assert not torch.equal(drawn_page(3, 96, 128), drawn_page(4, 96, 128))
    assert drawn_page(3, 96, 128).shape == (3, 96, 128)


def test_pages_of_any_size_are_drawn() -> None:
    for seed in range(40):
        drawn_page(seed, 1 + 7 * seed, 300 - 7 * seed)


def test_pages_are_sharp_and_flat_as_screens_are() -> None:
    """Most neighbours are equal, and some differ by more than half of the range."""
    pages = torch.stack([drawn_page(seed, 128, 128) for seed in range(12)]).int()
    steps = (pages[..., 1:] - pages[..., :-1]).abs()
    assert float((steps == 0).float().mean()) > 0.6
    assert float((steps > 127).float().mean()) > 0.01


def test_a_part_of_a_page_or_its_ink_is_pasted() -> None:
    picture = torch.full((3, 64, 64), 100, dtype=torch.uint8)
    page = torch.full((3, 64, 64), 255, dtype=torch.uint8)
    page[:, ::4] = 0  # ruled paper; its corner is ink
    shares = Counter[bool]()
    for seed in range(20):
        out = pasted(picture, page, torch.Generator().manual_seed(seed))
        colours = set(out.unique().tolist())
        assert colours <= {100, 255, 0}
        shares[0 in colours] += 1
    assert min(shares.values()) >= 5  # all of it, and without the corner's colour
    assert (picture == 100).all()


def test_a_share_of_the_crops_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PAGES", 3)
    photo = torch.full((3, 80, 80), 100, dtype=torch.uint8)
    crops = Crops([photo], 64, 50, drawn=0.4)
    plain = [bool((crop == 100).all()) for step in range(4) for crop in crops.batch(step)]
    pure = [not bool((crop == 100).any()) for step in range(4) for crop in crops.batch(step)]
    assert 0.45 < sum(plain) / 200 < 0.75
    assert 0.1 < sum(pure) / 200 < 0.3
    assert torch.equal(Crops([photo], 64, 50, drawn=0.4).batch(2), crops.batch(2))


def test_a_crop_does_not_depend_on_how_many_there_are() -> None:
    photo = drawn_page(0, 100, 100)
    assert torch.equal(Crops([photo], 64, 2, seed=5).batch(3), Crops([photo], 64, 6, seed=5).batch(3)[:2])

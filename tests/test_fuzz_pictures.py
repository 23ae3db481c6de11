"""Mutated pictures give errors or .lcq files, start no program and leave the process as it was."""

import subprocess
import sys
import warnings
from pathlib import Path
from random import Random
from typing import Any

import pytest
from fuzz.pictures import KINDS, WEIGHTS, mutate, outcome, seeds
from PIL import Image

from latticecodec.picture import Pixels, read_file

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore"),  # of Pillow, about damaged metadata
]

REGRESSIONS = sorted((Path(__file__).parent / "fuzz" / "regressions").glob("*.picture"))
OUTCOMES = {"picture", "ImageError"}


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_went_wrong_once(path: Path) -> None:
    assert outcome(path.read_bytes()) in OUTCOMES


def test_random_mutations() -> None:
    """As `make fuzz` makes them; an error is as good as a picture, anything else comes through."""
    random = Random(0)
    found = [outcome(mutate(random.choice(seeds()), random)[1]) for _ in range(150)]
    assert set(found) == OUTCOMES
    assert found.count("picture") > 20


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_mutation(kind: str) -> None:
    random = Random(1)
    png = next(seed for seed in seeds() if seed.startswith(b"\x89PNG"))
    assert {outcome(KINDS[kind](png, random.choice(seeds()), random)) for _ in range(20)} <= OUTCOMES
    assert WEIGHTS.keys() == KINDS.keys()


@pytest.mark.parametrize("change", ["limit", "filters", "program"])
def test_what_must_not_happen_is_noticed(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(*arguments: Any) -> Pixels:
        if change == "limit":
            monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
        elif change == "filters":
            warnings.simplefilter("error")
        else:
            subprocess.run([sys.executable, "-c", ""], check=True)
        return read_file(*arguments)

    monkeypatch.setattr("fuzz.pictures.read_file", careless)
    with warnings.catch_warnings(), pytest.raises(AssertionError, match="the process has changed"):
        outcome(seeds()[0])

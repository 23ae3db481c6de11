"""Mutated pictures give errors or .lcq files, start no program and leave the process as it was."""

from pathlib import Path
from random import Random

import pytest
from fuzz.pictures import KINDS, WEIGHTS, mutate, outcome, seeds

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

"""BD-rates in README and on the model cards round those in docs/kodak.md, the page of what was measured."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MEASURES = ("PSNR", "MS-SSIM", "SSIMULACRA2", "Butteraugli")
ANCHORS = ("jpeg", "webp", "avif", "lattice")
ROUNDED = 0.051  # per cent
CARDS = sorted(path.parent.name for path in (ROOT / "models").glob("*/README.md"))


def percentages(text: str) -> list[float]:
    """Those with a sign."""
    return [float(number) for number in re.findall(r"([+-][\d.]+) %", text.replace("\N{MINUS SIGN}", "-"))]


def measured() -> dict[tuple[str, str], list[float]]:
    """Of (model, anchor): the BD-rates by as many of MEASURES as were taken, %."""
    page = (ROOT / "docs" / "kodak.md").read_text(encoding="utf-8")
    lines = re.findall(rf"^(\S+(?:, effort \d)?) +({'|'.join(ANCHORS)}) +([+-].+)$", page, re.MULTILINE)
    return {(model.removesuffix("-1"), anchor): percentages(cells) for model, anchor, cells in lines}


def in_readme() -> dict[tuple[str, str], list[float]]:
    """Of (model, anchor): the BD-rates by PSNR and by MS-SSIM, %, in the table of README."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| model \| bpp \|.*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    rates, model = {}, ""
    for first, *cells in (line.strip("|").split("|") for line in table.splitlines()):
        named = re.search("`(.*?)`", first)
        assert named, first
        effort = re.search(r"^ the same, `--(effort) (\d)`", first)
        model = f"{model}, {effort[1]} {effort[2]}" if effort else named[1].removesuffix("-1")
        rates |= {(model, anchor): percentages(cell) for anchor, cell in zip(ANCHORS, cells[3:], strict=True)}
    return {of: shown for of, shown in rates.items() if shown}


def on_card(model: str) -> Iterator[tuple[str, str, str, float]]:
    """(model, anchor, measure, %) of each BD-rate on a card: in its table, or the sentences from `BD-rate there` on.

    Three without names are against JPEG, WebP and AVIF; where no measure is named it is PSNR. A rate of a part of the
    range (`above 0.5 bpp`) is passed over, as the page has none.
    """
    card = (ROOT / "models" / model / "README.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"^(?:\| )?BD-rate (?:there|against).*?(?:\n\n|\Z)", card, re.MULTILINE | re.DOTALL)
    rate = re.compile(r"(?:(jpeg|webp|avif|`lattice-1`)\s)?([+-][\d.]+) %(?! above)(?:\sagainst\s(`lattice-1`))?")
    for part in re.split(r"[;.]\s|\|\n", re.sub(r"\([^)]*\)", "", told)):
        found = rate.findall(part)
        names = [(before or after).strip("`").removesuffix("-1") for before, _, after in found]
        measure, effort = re.search("|".join(MEASURES), part), re.search(r"effort\s(\d)", part)
        of = f"{model}, effort {effort[1]}" if effort else model
        for anchor, (_, shown, _) in zip(names if any(names) else ANCHORS[: len(found)], found, strict=True):
            yield of, anchor, measure[0] if measure else MEASURES[0], float(shown)


def test_readme_has_all_that_was_measured() -> None:
    page = measured()
    assert in_readme() == {of: pytest.approx(rates[:2], abs=ROUNDED) for of, rates in page.items()}
    assert {model for model, _ in page} >= set(CARDS)


@pytest.mark.parametrize("model", CARDS)
def test_a_card_has_what_was_measured(model: str) -> None:
    page, shown = measured(), list(on_card(model))
    assert {anchor for _, anchor, _, _ in shown} >= {"jpeg", "webp", "avif"}
    for of, anchor, measure, rate in shown:
        assert rate == pytest.approx(page[of, anchor][MEASURES.index(measure)], abs=ROUNDED), (of, anchor, measure)

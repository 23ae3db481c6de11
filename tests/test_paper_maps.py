"""Maps of codebooks on the page: shown where a training has left them, and said to be missing where not."""

from collections import defaultdict
from pathlib import Path

import pytest
from paper_rows import result

from latticecodec.lab.papers.figures import pictures_beside, stem_of
from latticecodec.lab.papers.page.page import page_text
from latticecodec.lab.papers.page.plots import MAPPED, codebooks, without_map
from latticecodec.lab.papers.results import Results
from latticecodec.lab.papers.tables import TABLES


@pytest.mark.parametrize(("name", "label"), [("rotation-2", "Large, K = 1024"), ("rotation-3", "beta 0.25")])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_map_is_shown_where_a_training_has_left_one(tmp_path: Path, name: str, label: str, seed: int) -> None:
    """Of any seed; t-SNE, by which the paper shows codebooks, beside the principal axes."""
    table, folder = TABLES[name], tmp_path / "papers"
    results = Results(tmp_path / "results.jsonl")
    found = [result(table.row(label).experiment, each, "10 %", "cifar10") for each in (0, 1)]
    assert without_map(table, results, folder) == []  # nothing is measured
    for each in found:
        results.add(each)
    assert codebooks(table, results, folder) == []
    told = f"The codebook of {label} on cifar10 has no map here"
    assert told in page_text(results, tmp_path / "papers.md", defaultdict(list))[0]
    for kind in ("codebook", "tsne"):
        picture = pictures_beside(results.file) / f"{stem_of(found[seed])}-{kind}.png"
        picture.parent.mkdir(exist_ok=True)
        picture.write_bytes(kind.encode())
    shown = codebooks(table, results, folder)
    assert [file.read_bytes() for file in shown] == [b"codebook", b"tsne"]
    assert {file.parent for file in shown} == {folder}
    assert told not in page_text(results, tmp_path / "papers.md", defaultdict(list))[0]


def test_every_row_that_is_mapped_is_one_of_its_table() -> None:
    assert all(TABLES[name].row(label).label == label for name, label in MAPPED)

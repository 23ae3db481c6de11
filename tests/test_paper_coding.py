"""What is counted of a row's indices, and the codes that bring them to bytes and back."""

import numpy as np
import pytest
import torch
from paper_rows import KINDS

from latticecodec.errors import FormatError
from latticecodec.lab.papers import counting
from latticecodec.lab.papers.context import CLASSES
from latticecodec.lab.papers.counting import Statistics
from latticecodec.lab.papers.experiment import Experiment
from latticecodec.lab.papers.measure import codes
from latticecodec.lab.papers.model import PaperModel
from latticecodec.lab.papers.stream import Code, Shape


def codes_of(experiment: Experiment, symbols: torch.Tensor) -> dict[str, Code]:
    statistics = Statistics(PaperModel(experiment, 1, 1, 0).bottleneck)
    statistics.add(symbols)
    return codes(statistics)


def field(rows: torch.Tensor, width: int = 1) -> torch.Tensor:
    """Rows of symbols [N, S] as those of one picture that is `width` positions wide, [1, N / width, width, S]."""
    return rows.view(1, -1, width, rows.shape[1])


def shape_of(symbols: torch.Tensor) -> Shape:
    return symbols.shape[0], symbols.shape[1], symbols.shape[2]


def bits(code: Code, symbols: torch.Tensor) -> float:
    """Bits of a position, of a stream that comes back."""
    data = code.encode(symbols)
    assert torch.equal(code.decode(data, shape_of(symbols)), symbols)
    return 8 * len(data) / symbols.shape[:3].numel()


def test_static_tables_cost_the_entropy() -> None:
    generator = torch.Generator().manual_seed(0)
    likely = torch.multinomial(torch.tensor([0.5, 0.25, 0.125, 0.125]), 20_000, True, generator=generator)
    rows = field(likely[:, None], 100)
    for code in codes_of(KINDS["vq"], rows).values():
        assert bits(code, rows) == pytest.approx(1.75, abs=0.03)


@pytest.mark.parametrize("kind", ["vq", "lattice", "adaptive"])
def test_every_code_holds_what_was_never_seen(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    seen, unseen = {
        "vq": (torch.randint(0, 4, (500, 1), generator=generator), torch.arange(16)[:, None]),
        "lattice": (
            torch.randint(-3, 4, (500, 4), generator=generator),
            torch.tensor([[0, -5000, 1_000_000, 2], [3, 3, 3, 7]]),
        ),
        "adaptive": (torch.randint(0, 2, (500, 2), generator=generator), torch.tensor([[2, 31], [1, 15], [0, 0]])),
    }[kind]
    found = codes_of(KINDS[kind], field(seen))
    assert list(found) == ["static", "points", "context"]
    for code in found.values():
        for rows in (unseen, seen, torch.cat([seen, unseen, seen])):
            bits(code, field(rows))


def test_few_points_of_a_lattice_cost_what_their_numbers_cost() -> None:
    """Four points whose four coordinates are equal: 2 bits each, and coordinate by coordinate four times as much."""
    points = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]])
    rows = field(points[torch.randint(0, 4, (20_000,), generator=torch.Generator().manual_seed(0))])
    found = codes_of(KINDS["lattice"], rows)
    assert bits(found["points"], rows) == pytest.approx(2, abs=0.02)
    assert bits(found["static"], rows) == pytest.approx(8, abs=0.1)


def test_a_context_pays_nothing_for_what_the_neighbours_tell() -> None:
    """Each row of a picture is one random index, repeated: 2 bits for its first position, next to nothing after it."""
    generator = torch.Generator().manual_seed(0)
    firsts = torch.randint(0, 4, (500, 8, 1, 1), generator=generator)
    rows = firsts.expand(-1, -1, 8, -1).contiguous()  # [500, 8, 8, 1]
    found = codes_of(KINDS["vq"], rows)
    assert bits(found["static"], rows) == pytest.approx(2, abs=0.02)
    assert bits(found["context"], rows) == pytest.approx(2 / 8, abs=0.02)
    upright = rows.transpose(1, 2).contiguous()
    assert bits(codes_of(KINDS["vq"], upright)["context"], upright) == pytest.approx(2 / 8, abs=0.02)


def test_more_embeddings_than_classes_are_coded_as_members_of_a_class() -> None:
    """A thousand points along a line, each near its neighbour: the class is known, its members are alike."""
    generator = torch.Generator().manual_seed(0)
    along = torch.randint(0, 1000, (400, 1, 1, 1), generator=generator) + torch.randint(
        -3, 4, (400, 6, 6, 1), generator=generator
    )
    rows = along.expand(-1, -1, -1, 4).contiguous()  # [400, 6, 6, 4] on the diagonal of the lattice
    found = codes_of(KINDS["lattice"], rows)
    assert len(found["context"].points.hashes) > 900 > CLASSES  # type: ignore[attr-defined]
    assert bits(found["context"], rows) < 0.65 * bits(found["points"], rows)


def test_points_beyond_those_that_are_kept_are_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "POINTS_MAX", 10)
    often, once = torch.arange(40).reshape(10, 4), torch.arange(40, 60).reshape(5, 4)
    rows = field(torch.cat([often, once, often]))
    found = codes_of(KINDS["lattice"], rows)
    assert len(found["points"].points.hashes) == 10  # type: ignore[attr-defined]
    assert found["points"].points.others == 5  # type: ignore[attr-defined]
    for code in found.values():
        bits(code, rows)


def test_points_that_hardly_come_twice_are_coded_by_coordinates_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "POINTS_MAX", 10)
    assert len(codes_of(KINDS["lattice"], field(torch.arange(80).reshape(20, 4)))) == 3
    assert list(codes_of(KINDS["lattice"], field(torch.arange(84).reshape(21, 4)))) == ["static"]


def test_a_coordinate_that_no_coder_holds_is_refused() -> None:
    rows = field(torch.tensor([[0, 0, 0, 1 << 24]]))
    for code in codes_of(KINDS["lattice"], field(torch.zeros(4, 4, dtype=torch.int64))).values():
        with pytest.raises(FormatError, match="beyond 2\\^24"):
            code.encode(rows)


def test_distinct_embeddings_are_counted_by_index() -> None:
    statistics = Statistics(PaperModel(KINDS["adaptive"], 1, 1, 0).bottleneck)
    statistics.add(field(torch.tensor([[0, 1], [1, 1], [0, 1], [2, 31]])))
    statistics.add(field(torch.tensor([[0, 1], [1, 0]])))
    assert statistics.distinct() == 4
    assert statistics.perplexity() == pytest.approx(2 ** (0.5 + 3 * np.log2(6) / 6), rel=1e-6)

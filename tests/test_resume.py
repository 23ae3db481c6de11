"""An interrupted evaluation goes on where it stopped, and never takes a result that no longer holds."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from eval_runs import astronaut, lcodec_eval

from latticecodec import OutputError
from latticecodec.lab.evaluation import Evaluation, State, contenders, evaluate, measure, msssim, to_json
from latticecodec.lab.evaluation.contenders import PeerContender
from latticecodec.lab.evaluation.state import HEADER, digest

pytestmark = pytest.mark.usefixtures("one_thread", "one_process")


class InterruptedRunError(Exception):
    """Somebody pulled the plug."""


def encoded(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Qualities of the peers' files that are written from now on, warming up not counted."""
    seen: list[float] = []
    encode = PeerContender.encode

    def counted(self: PeerContender, picture: object, quality: float) -> object:
        seen.append(quality)
        return encode(self, picture, quality)

    monkeypatch.setattr(PeerContender, "encode", counted)
    monkeypatch.setattr(measure, "_warm_up", lambda contender, picture: None)
    return seen


def run(folder: Path, file: Path, stop_after: int = 10**9, **options: object) -> Evaluation:
    """JPEG on a folder, interrupted after so many files."""

    def advance(done: int, total: int) -> None:
        if done == stop_after:
            raise InterruptedRunError

    return evaluate(folder, [], "cpu", advance, peers=["jpeg"], state=State(file), **options)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A folder with two pictures of one size."""
    folder = tmp_path / "two"
    folder.mkdir()
    astronaut(80).save(folder / "a.png")
    astronaut(80).transpose(2).save(folder / "b.png")
    return folder


def test_goes_on_where_it_stopped(two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "measured.jsonl"
    with pytest.raises(InterruptedRunError):
        run(two, file, stop_after=13)
    text = file.read_text()
    assert len(text.splitlines()) == 1 + 13
    file.write_text(text[:-20])  # the thirteenth result was being written
    seen = encoded(monkeypatch)
    first = run(two, file)
    assert len(seen) == 6
    assert to_json(run(two, file)) == to_json(first)  # times included: nothing is measured again
    assert len(seen) == 6


def test_other_pixels_other_options_other_code(two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "measured.jsonl"
    run(two, file)
    seen = encoded(monkeypatch)
    astronaut(80).rotate(180).save(two / "b.png")
    run(two, file)
    assert len(seen) == 9
    (two / "b.png").rename(two / "renamed.png")
    run(two, file)
    assert len(seen) == 9
    monkeypatch.setattr(contenders, "_code_digest", lambda: "of other code")
    run(two, file)
    assert len(seen) == 27


def test_other_libraries(two: Path, tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What measures and what computes networks decide values too."""
    file = tmp_path / "measured.jsonl"
    run(two, file)
    seen = encoded(monkeypatch)
    (before,) = contenders.contenders([tiny_model], [], "cpu", [50])
    for module in (msssim, contenders):
        monkeypatch.setattr(module, "version", lambda name: "99.0")
    run(two, file)
    assert len(seen) == 18
    run(two, file)
    assert len(seen) == 18
    (after,) = contenders.contenders([tiny_model], [], "cpu", [50])
    assert before.identity != after.identity


def test_memory_that_could_not_be_measured_is_tried_again(
    two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "measured.jsonl"
    peaks = [None, 2**20]
    monkeypatch.setattr(sys.modules[evaluate.__module__], "peak_memory", lambda *_: peaks.pop(0))
    assert [run(two, file, with_memory=True).peers[0].memory for _ in range(3)] == [None, 2**20, 2**20]


def test_results_depend_on_the_code_that_decides_them() -> None:
    """Not on what trains, on tables of papers, on pages."""
    package = Path(contenders.__file__).parents[2]
    names = [path.relative_to(package).as_posix() for path in contenders.deciding()]
    rooms = {name.rpartition("/")[0] for name in names}
    assert {"codec", "container", "entropy", "kinds", "picture", "lab", "lab/nets"} <= rooms
    own = {"zoo/loading.py", "lab/arithmetic.py", "lab/evaluation/peers.py", "lab/evaluation/contenders.py"}
    assert own <= set(names)
    assert not {"lab/papers", "lab/training", "cli"} & rooms
    assert "lab/evaluation/report.py" not in names


def test_a_measure_that_was_not_taken_is_taken(two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ssimulacra2")
    file = tmp_path / "measured.jsonl"
    without = run(two, file)
    seen = encoded(monkeypatch)
    with_it = run(two, file, with_ssimulacra2=True)
    assert len(seen) == 18
    scores = [point.ssimulacra2 for point in with_it.peers[0].points]
    assert scores == sorted(scores)
    assert all(np.isnan(point.ssimulacra2) for point in without.peers[0].points)
    run(two, file)
    assert len(seen) == 18


def test_the_command_resumes(pictures: Path, tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "measured.jsonl"
    arguments = (pictures, "--model", tiny_model, "--peer", "jpeg", "--resume", file, "--json")
    first = json.loads(lcodec_eval(*arguments).stdout)
    size = file.stat().st_size
    assert json.loads(lcodec_eval(*arguments).stdout) == first
    assert file.stat().st_size == size
    assert json.loads(file.read_text().splitlines()[0]) == HEADER


def test_state_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "state.jsonl"
    State(file).put("a", {"x": 1})
    with file.open("a") as stream:
        stream.write('{"key": "b", "x"')  # broken off
    again = State(file)
    assert (again.get("a"), again.get("b")) == ({"x": 1}, None)
    again.put("c", {"x": 3})
    assert State(file).get("c") == {"x": 3}
    file.write_text('{"format": "something else"}\n')
    with pytest.raises(OutputError, match="not a file of results"):
        State(file)
    with pytest.raises(OutputError, match="cannot be read: it is a folder; name another one"):
        State(tmp_path)


def test_a_picture_is_known_by_size_and_pixels() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert digest(pixels) == digest(pixels.copy())
    assert len({digest(pixels), digest(pixels.reshape(4, 2, 3)), digest(pixels[::-1])}) == 3

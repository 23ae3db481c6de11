"""Sessions of ONNX Runtime: the memory that they share, and what is told where there is too little."""

import resource
from pathlib import Path

import numpy as np
import pytest
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from latticecodec.backends.graph import Graph
from latticecodec.backends.perceptual_graph import Graph as Formulas
from latticecodec.backends.session import Session
from latticecodec.errors import LcqError


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell")
def test_sessions_take_turns_in_the_same_memory() -> None:
    """What one keeps between its runs is there for the next: 125 MB, that each would hold for itself."""

    def resident() -> int:
        """Bytes of memory of this process."""
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

    sessions = []
    for _ in range(3):
        graph = Graph()
        wide = graph.add("Conv", graph.input("x", 1, 3, "h", "w"), graph.constant(np.ones((64, 3, 1, 1), np.float32)))
        narrow = graph.add("Conv", wide, graph.constant(np.ones((3, 64, 1, 1), np.float32)))
        graph.output(narrow, 1, 3, "h", "w")
        sessions.append(Session(graph, threads=1))
    x = np.ones((1, 3, 700, 700), np.float32)
    sessions[0](x=x)
    before = resident()
    for session in sessions[1:]:
        assert session(x=x)[0][0, 0, 0, 0] == 192
    assert resident() - before < 60e6


@pytest.fixture(scope="module")
def vast() -> Session:
    """A graph of what the metrics' are made of, whose output takes more memory than any machine has."""
    formulas = Formulas()
    x = formulas.input("x", [1, 1, 1, 1])
    vast = formulas.apply("Expand", x, formulas.constant(np.full(4, 2**12, np.int64)))
    return formulas.session([vast], threads=1)


def test_too_little_memory_is_one_line(vast: Session) -> None:
    with pytest.raises(LcqError, match="not enough memory for a picture of this size"):
        vast(x=np.ones((1, 1, 1, 1), np.float32))


@pytest.mark.parametrize(("reason", "kind"), [("std::bad_alloc", LcqError), ("no kernel", RuntimeException)])
def test_so_it_is_within_an_operator(
    vast: Session, reason: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the operator itself asks for memory; other errors stay what they are."""

    def run(*_: object) -> None:
        raise RuntimeException(f"Non-zero status code returned while running Conv node. Status Message: {reason}")

    monkeypatch.setattr(vast._session, "run", run)
    with pytest.raises(kind):
        vast(x=np.ones((1, 1, 1, 1), np.float32))


@pytest.mark.parametrize(("reason", "kind"), [("std::bad_alloc", LcqError), ("no such operator", RuntimeException)])
def test_so_it_is_when_a_network_is_made(reason: str, kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*_: object, **__: object) -> None:
        raise RuntimeException(f"Exception during initialization: {reason}")

    monkeypatch.setattr("onnxruntime.InferenceSession", made)
    with pytest.raises(kind, match=r"^not enough memory for the networks of a model$" if kind is LcqError else reason):
        Session(Graph(), 1)

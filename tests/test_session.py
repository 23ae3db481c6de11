"""Sessions of ONNX Runtime: the memory that they share."""

import resource
from pathlib import Path

import numpy as np
import pytest

from latticecodec.backends.graph import Graph
from latticecodec.backends.session import Session


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

"""Work of a GPU that is recorded once and replayed.

It takes a processor longer to launch thousands of small kernels than a GPU needs to run them. A recorded one is a
single launch.
"""

import warnings
from collections.abc import Callable

import torch

RECORD_AT = 12  # runs before the recording: kernels are compiled and chosen, and caches filled, in the first ones


class Recording:
    """Runs work that does the same every time, on tensors that stay where they are, as a recorded graph.

    Args:
        generators: of random numbers that the work draws on.
    """

    def __init__(self, *generators: torch.Generator) -> None:
        self._generators = generators
        self._places: tuple[int, ...] = ()
        self._runs = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._possible = True

    def __call__(self, places: tuple[int, ...], work: Callable[[], None]) -> None:
        """Run `work`, or replay it where its tensors lie at the same `places` (addresses) as when it was recorded."""
        if places != self._places:
            self._places, self._runs, self._graph = places, 0, None
        self._runs += 1
        if self._runs > RECORD_AT and self._graph is None and self._possible:
            self._graph = self._recorded(work)
        if self._graph is None:
            work()
        else:
            self._graph.replay()

    def _recorded(self, work: Callable[[], None]) -> "torch.cuda.CUDAGraph | None":
        """A graph of the work, which has not run then; None, and never again, where it cannot be recorded."""
        graph = torch.cuda.CUDAGraph()
        for generator in self._generators:
            graph.register_generator_state(generator)
        try:
            torch.cuda.synchronize()
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                work()
        except RuntimeError as error:
            self._possible = False
            warnings.warn(f"training is not recorded, and slower: {error}", stacklevel=2)
            return None
        return graph

"""A graph, ready to run on ONNX Runtime, on processors."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

import numpy as np
import onnxruntime

from ..entropy.coder import Float32
from ..errors import LcqError
from .graph import Graph
from .reference import evaluate

PROBE = {"h": 2, "w": 3}  # sides of the inputs of the self-test, in the graph's units
NO_MEMORY = ("allocate memory", "bad_alloc", "bad allocation")  # what ONNX Runtime says where there is none
LARGE = 5 << 19  # values of the inputs of a run that gives its memory back; others keep it for the next one
TOLERANCE = 1e-3  # of the self-test, of the largest value that should come
VERSION = f"ONNX Runtime {onnxruntime.__version__}"  # pixels and sizes of files belong to it


class Session:
    """A graph and the weights that it runs with."""

    def __init__(self, graph: Graph, threads: int) -> None:
        """Raises LcqError where there is not enough memory."""
        self._graph = graph  # keeps the weights that ONNX Runtime may point to
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # for a second run of one shape it would take all of its memory once more
        options.add_session_config_entry("session.use_env_allocators", "1")
        _share_memory()
        options.log_severity_level = 4
        weights = {name: values for name, values in graph.constants.items() if values.dtype == np.float32}
        handed = [onnxruntime.OrtValue.ortvalue_from_numpy(values) for values in weights.values()]
        options.add_external_initializers(list(weights), handed)
        with _memory_told("not enough memory for the networks of a model"):
            self._session = onnxruntime.InferenceSession(graph.model(), options, providers=["CPUExecutionProvider"])

    def __call__(self, **inputs: Float32) -> list[Float32]:
        """The outputs of the graph for its inputs, by name.

        Raises LcqError where there is not enough memory.
        """
        whole = {name: np.asarray(values, np.float32, order="C") for name, values in inputs.items()}
        options = onnxruntime.RunOptions()
        if sum(values.size for values in whole.values()) > LARGE:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        with _memory_told("not enough memory for a picture of this size"):
            outputs: list[Float32] = self._session.run(None, whole, options)
        return outputs

    def works(self) -> bool:
        """Whether a graph of one output makes of a small input what numpy does.

        ONNX Runtime has other code for each kind of processor. Where the weights give values that are not numbers, it
        is not at fault.
        """
        inputs = {
            name: _numbers(*(side if isinstance(side, int) else _probe(side) for side in shape))
            for name, shape in self._graph.inputs.items()
        }
        with np.errstate(all="ignore"):
            expected = evaluate(self._graph, inputs)
        if not np.isfinite(expected).all():
            return True
        (found,) = self(**inputs)
        return bool(np.abs(found - expected).max() <= TOLERANCE * np.abs(expected).max())


@cache
def _share_memory() -> None:
    """One arena for all sessions of the process, which grows by what is asked for.

    One for each, doubled whenever it is too small, held twice as much where several networks take turns.
    """
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    as_requested = onnxruntime.OrtArenaCfg(0, 1, -1, -1)  # no limit, the strategy, and two defaults
    with suppress(Exception):  # of a program that has made one of its own, which then serves
        onnxruntime.create_and_register_allocator(memory, as_requested)


@contextmanager
def _memory_told(line: str) -> Iterator[None]:
    """LcqError of that line where ONNX Runtime has not enough memory."""
    try:
        yield
    except Exception as error:  # which class ONNX Runtime raises depends on its version
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in NO_MEMORY):
            raise
        raise LcqError(line) from None


def _numbers(*shape: int) -> Float32:
    """Numbers from 0 to 1 that look random; NumPy's own would take as long to import as a network to be tested."""
    steps = np.arange(math.prod(shape)) * math.sqrt(2)  # whose fractions lie evenly, and never in a row
    numbers: Float32 = (np.square(steps) % 1).astype(np.float32)
    return numbers.reshape(shape)


def _probe(side: str) -> int:
    """A length for a side of a name such as "h" or "16h"."""
    return int(side[:-1] or 1) * PROBE[side[-1]]

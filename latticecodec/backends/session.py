"""A graph of a network, ready to run on ONNX Runtime."""

import numpy as np
import onnxruntime

from ..entropy.coder import Float32
from ..errors import LcqError
from .graph import Graph
from .reference import evaluate

PROBE = {"h": 2, "w": 3}  # sides of the inputs of the self-test, in the graph's units
NO_MEMORY = ("allocate memory", "bad_alloc", "bad allocation")  # what ONNX Runtime says where there is none
TOLERANCE = 1e-3  # of the self-test, of the largest value that should come


class Session:
    """A graph of one output on ONNX Runtime, on processors."""

    def __init__(self, graph: Graph, threads: int) -> None:
        self._graph = graph  # keeps the weights that ONNX Runtime may point to
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(each) for each in graph.constants.values()]
        options.add_external_initializers(list(graph.constants), values)
        self._session = onnxruntime.InferenceSession(graph.model(), options, providers=["CPUExecutionProvider"])

    def __call__(self, **inputs: Float32) -> Float32:
        """The output of the graph for its inputs, by name.

        Raises LcqError where there is not enough memory.
        """
        whole = {name: np.ascontiguousarray(values, dtype=np.float32) for name, values in inputs.items()}
        try:
            out: Float32 = self._session.run(None, whole)[0]
        except Exception as error:  # which class ONNX Runtime raises for want of memory depends on its version
            if not isinstance(error, MemoryError) and not any(words in str(error) for words in NO_MEMORY):
                raise
            raise LcqError("not enough memory for a picture of this size") from None
        return out

    def works(self) -> bool:
        """Whether a small input gives what numpy makes of it: ONNX Runtime has other code for each kind of processor.

        So it counts to where the weights give values that are not numbers.
        """
        numbers = np.random.default_rng(0)
        inputs = {
            name: numbers.random([side if isinstance(side, int) else _probe(side) for side in shape], np.float32)
            for name, shape in self._graph.inputs.items()
        }
        with np.errstate(all="ignore"):
            expected = evaluate(self._graph, inputs)
        if not np.isfinite(expected).all():
            return True
        return bool(np.abs(self(**inputs) - expected).max() <= TOLERANCE * np.abs(expected).max())


def _probe(side: str) -> int:
    """A length for a side of a name such as "h" or "16h"."""
    return int(side[:-1] or 1) * PROBE[side[-1]]

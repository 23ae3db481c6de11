"""The choice of a codebook for each slice of a vector, by attention: the encoder's part of lab/quantizers/selection.py.

slice ─► asinh ─► query ─► two heads: softmax(q k / sqrt(d)) of the codebooks' keys, that mean of their values ─► scores
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..backends.backend import Tensors
from ..entropy.coder import Float32

HEADS = 2
HIDDEN = 32  # dimensions of queries, keys and values


class SliceSelection:
    """Which of m codebooks each of G slices takes.

    Args:
        widths: of the slices.
        books: m.
        tensors: the trained attention's.

    Raises ValueError where a tensor is missing, superfluous or of another shape.
    """

    def __init__(self, widths: Sequence[int], books: int, tensors: Tensors) -> None:
        self._widest = max(widths)
        shapes = {
            "query": (len(widths), HIDDEN, self._widest + 1),
            "attention.keys": (books, HIDDEN),
            "attention.values": (books, HIDDEN),
            "attention.project_key.weight": (HIDDEN, HIDDEN),
            "attention.project_value.weight": (HIDDEN, HIDDEN),
            "attention.project_scores.weight": (books, HIDDEN),
            "attention.project_scores.bias": (books,),
        }
        if shapes != {name: value.shape for name, value in tensors.items()}:
            raise ValueError("the tensors that select codebooks")
        own = {name: value.astype(np.float32) for name, value in tensors.items()}
        self._query = own["query"]  # [G, hidden, inputs]
        heads = (books, HEADS, -1)
        self._keys = (own["attention.keys"] @ own["attention.project_key.weight"].T).reshape(heads)  # [m, 2, d]
        self._values = (own["attention.values"] @ own["attention.project_value.weight"].T).reshape(heads)  # [m, 2, d]
        self._project = own["attention.project_scores.weight"].T  # [hidden, m]
        self._bias = own["attention.project_scores.bias"]  # [m]

    def __call__(self, slices: Sequence[Float32]) -> NDArray[np.int64]:
        """Slices [N, D_g] -> the codebook of each, [N, G]."""
        count = len(slices[0])
        inputs = np.zeros((count, len(slices), self._widest + 1), np.float32)  # [N, G, D + 1]
        for group, own in enumerate(slices):
            inputs[:, group, : own.shape[1]] = np.arcsinh(own)
        inputs[:, :, -1] = 1
        query = (inputs[:, :, None] @ self._query.transpose(0, 2, 1))[:, :, 0]  # [N, G, hidden]
        q = query.reshape(count, len(slices), HEADS, -1)  # [N, G, 2, d]
        logits = np.einsum("nghd,mhd->nghm", q, self._keys, optimize=True) / math.sqrt(q.shape[-1])  # [N, G, 2, m]
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = np.einsum("nghm,mhd->nghd", weights, self._values, optimize=True).reshape(query.shape)  # [N, G, hidden]
        chosen: NDArray[np.int64] = (mixed @ self._project + self._bias).argmax(-1)
        return chosen

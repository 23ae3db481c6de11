"""The sums of the integer prior: the same, however they are cut."""

import numpy as np
import pytest

from latticecodec.entropy import layers
from latticecodec.entropy.layers import ONE_THREAD, SMALL, product


@pytest.mark.parametrize("shape", [(3, 4, 5), (48, 32, 480), (192, 448, 96), (96, 448, 97), (7, 448, 700)])
def test_a_small_product_is_computed_in_blocks_for_one_thread(
    shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, inner, columns = shape
    numbers = np.random.default_rng(0)
    a = numbers.integers(-127, 128, (rows, inner)).astype(np.float32)
    b = numbers.integers(0, 256, (inner, columns)).astype(np.float32)
    matmul, blocks = np.matmul, []

    def counted(left: np.ndarray, right: np.ndarray, **options: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        blocks.append((len(left), left.size * right.shape[1]))
        result: np.ndarray = matmul(left, right, **options)  # type: ignore[type-arg,call-overload]
        return result

    monkeypatch.setattr(layers.np, "matmul", counted)
    assert (product(a, b) == a.astype(np.int64) @ b.astype(np.int64)).all()
    assert ONE_THREAD < a.size * columns <= SMALL or not blocks
    assert sum(count for count, _ in blocks) in (0, rows)
    assert all(work <= max(ONE_THREAD, 2 * b.size) for _, work in blocks)

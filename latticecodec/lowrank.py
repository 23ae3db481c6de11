"""Low-rank additions (LoRA, Hu et al. 2021) as a model folder holds them: two factors beside the name of a tensor."""

import numpy as np

from .weights import Array

LEFT, RIGHT = ".left", ".right"  # after the name of a tensor [out, in]: factors [out, r] and [r, in] of what is added


def with_low_rank(tensors: dict[str, Array]) -> dict[str, Array]:
    """`tensors` with T + T.left @ T.right, in float32, in place of every T that has these factors.

    Raises ValueError where a pair is not whole or does not fit its T, or the sum is beyond what float32 holds.
    """
    whole = {name: value for name, value in tensors.items() if not name.endswith((LEFT, RIGHT))}
    for name in {name.removesuffix(LEFT).removesuffix(RIGHT) for name in tensors.keys() - whole.keys()}:
        parts = [tensors.get(each) for each in (name, name + LEFT, name + RIGHT)]
        if any(part is None or part.ndim != 2 or part.dtype.kind != "f" for part in parts):
            raise ValueError(f"{name} with its additions is not three matrices of floating-point numbers")
        matrix, left, right = (part.astype(np.float32) for part in parts if part is not None)
        if left.shape[1] != right.shape[0] or matrix.shape != (left.shape[0], right.shape[1]):
            raise ValueError(f"the additions to {name} do not have its shape")
        with np.errstate(over="ignore", invalid="ignore"):
            whole[name] = matrix + left @ right  # [out, in]
        if not np.isfinite(whole[name]).all():
            raise ValueError(f"{name} with its additions has values that are not finite numbers")
    return whole

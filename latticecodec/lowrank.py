"""Low-rank additions (LoRA, Hu et al. 2021) as a model folder holds them: two factors beside the name of a tensor."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LEFT, RIGHT = ".left", ".right"  # after the name of a tensor [out, in]: factors [out, r] and [r, in] of what is added


def with_low_rank(tensors: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """`tensors` with T + T.left @ T.right, in float32, in place of every T that has these factors.

    Raises ValueError where a pair is not whole or does not fit its T.
    """
    from .lab.arithmetic import multiply

    whole = {name: value for name, value in tensors.items() if not name.endswith((LEFT, RIGHT))}
    for name in {name.removesuffix(LEFT).removesuffix(RIGHT) for name in tensors.keys() - whole.keys()}:
        parts = [tensors.get(each) for each in (name, name + LEFT, name + RIGHT)]
        if any(part is None or part.ndim != 2 or not part.is_floating_point() for part in parts):
            raise ValueError(f"{name} with its additions is not three matrices of floating-point numbers")
        matrix, left, right = (part.float() for part in parts if part is not None)
        if left.shape[1] != right.shape[0] or matrix.shape != (left.shape[0], right.shape[1]):
            raise ValueError(f"the additions to {name} do not have its shape")
        whole[name] = matrix + multiply(left, right)  # [out, in]
    return whole

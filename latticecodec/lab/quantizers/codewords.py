"""The two directions of every codebook: the nearest codeword of a vector, and the codeword of an index."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import FormatError
from ..arithmetic import product_type

TABLE_ENTRIES = 2**17  # most distances held at once: 512 KiB of float32, which stay in the cache of a core
TABLE_ENTRIES_CUDA = 2**22  # 16 MiB: a GPU waits for each block


def float32(device: torch.device) -> torch.autocast:
    """Plain float32 inside an autocast region: mixed precision must not move a vector to another codeword."""
    return torch.autocast(device.type, enabled=False)


@torch.no_grad()
def nearest(z: Tensor, codebook: Tensor, penalty: Tensor | None = None) -> Tensor:
    """Index of the codeword c that minimises |z - c|^2 + penalty, for each row of z.

    Works on blocks of rows, so that no table of more than TABLE_ENTRIES distances is built, on CUDA TABLE_ENTRIES_CUDA
    (or of one row, where the codebook alone is larger). The codebook's mean is taken off both sides, which keeps the
    distances exact far from the origin. Scalar codewords (D = 1) without a penalty are sorted and searched: log K steps
    a row, exact too.

    Args:
        z: [N, D] float32.
        codebook: [K, D] float32.
        penalty: [K] or [N, K], added to the squared distances; none by default.

    Returns:
        int64 [N], 0 ... K-1. The lowest index wins a tie; a row with a NaN gets index 0.
    """
    if codebook.shape[1] == 1 and penalty is None:
        return _nearest_scalar(z[:, 0], codebook[:, 0])
    wide, centre = product_type(z.device), codebook.mean(0)  # [D]
    codes = codebook - centre  # [K, D]
    offsets = codes.square().sum(1, keepdim=True)  # [K, 1]
    if penalty is not None and penalty.ndim == 1:
        offsets = offsets + penalty[:, None]  # [K, 1]
    columns = torch.cat([-2 * codes, offsets], 1).to(wide).T.contiguous()  # [D + 1, K]
    rows = max(1, (TABLE_ENTRIES_CUDA if z.is_cuda else TABLE_ENTRIES) // len(codebook))
    vectors = F.pad(z - centre, (0, 1), value=1.0).to(wide)  # [N, D + 1]
    table = vectors.new_empty(min(rows, len(z)), len(codebook))  # of every block: new memory takes longer than products
    blocks = []
    with float32(z.device):
        for start in range(0, len(z), rows):
            at = slice(start, start + rows)
            block = vectors[at]  # [rows, D + 1]
            distances = torch.mm(block, columns, out=table[: len(block)])  # [rows, K] - |z - centre|^2
            if penalty is not None and penalty.ndim == 2:
                distances += penalty[at]
            blocks.append(_smallest(distances))
    return torch.cat(blocks)  # [N]


def _smallest(distances: Tensor) -> Tensor:
    """Column [N] of the first least distance in each row of [N, K]; 0 where they are NaN."""
    if distances.device.type == "cpu":
        return torch.from_numpy(distances.numpy().argmin(1))  # [N], 20 times as fast as torch's
    return distances.argmin(1)  # [N]


def _nearest_scalar(z: Tensor, codebook: Tensor) -> Tensor:
    """Index [N] of the number of `codebook` [K] nearest to each of z [N]; ties and NaN as in `nearest`."""
    values, order = codebook.sort(stable=True)  # [K] each; of equal values the lowest index is the first
    above = torch.searchsorted(values, z.contiguous()).clamp_max(len(values) - 1)  # [N]
    below = torch.searchsorted(values, values[(above - 1).clamp_min(0)])  # [N] the first of equal ones
    far, near = (values[above] - z).abs(), (values[below] - z).abs()  # [N] each
    above, below = order[above], order[below]  # [N] each
    lower = (near < far) | ((near == far) & (below < above))  # [N]
    return torch.where(lower, below, above).masked_fill(z.isnan(), 0)  # [N]


def checked(indices: Tensor, codes: int) -> Tensor:
    """`indices` as int64.

    Raises:
        FormatError: an index is not in 0 ... codes-1.
    """
    indices = indices.long()
    outside = indices[(indices < 0) | (indices >= codes)]
    if outside.numel():
        raise FormatError(f"index {int(outside[0])} is outside the codebook: it has codewords 0 to {codes - 1}")
    return indices

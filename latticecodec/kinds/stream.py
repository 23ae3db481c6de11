"""What both bottlenecks need around their priors: a stream that counts bits, and hyper-latents from latents."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import HYPER
from ..entropy.coder import Encoder, Int32, Tables, estimate_bits, row_bits
from ..entropy.numbers import COORDINATE_MAX
from ..lab.nets import HyperAnalysis
from ..lab.nets.prior import compand


class Stream:
    """An encoder that adds up the information content of what it writes."""

    def __init__(self, tables: Tables) -> None:
        self.bits = 0.0
        self._coder, self._tables = Encoder(), tables

    def put(self, residuals: Int32, ids: Int32) -> None:
        """Residuals [N], each with the table of its id [N]."""
        self._coder.put(residuals, ids, self._tables)
        self.bits += estimate_bits(residuals, ids, self._tables)

    def put_rows(self, symbols: Int32, frequencies: Int32) -> None:
        """Symbols [N], each with its own row of frequencies [N, K]."""
        self._coder.put_rows(symbols, frequencies)
        self.bits += row_bits(symbols, frequencies)

    def finish(self) -> bytes:
        """All bytes."""
        return self._coder.finish()


def hyper_latents(network: HyperAnalysis, u: Tensor) -> Int32:
    """Latents in units of about a quantization step [M, h, w] -> z int32 [Z, h/4, w/4]."""
    bottom, right = -u.shape[1] % HYPER, -u.shape[2] % HYPER
    padded = F.pad(compand(u)[None], (0, right, 0, bottom), mode="replicate")  # [1, M, h', w']
    z = network(padded)[0].round().clamp(-COORDINATE_MAX, COORDINATE_MAX)
    out: Int32 = z.to(torch.int32).cpu().numpy()
    return out

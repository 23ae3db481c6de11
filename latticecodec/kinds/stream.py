"""What both bottlenecks need around their priors: hyper-latents from latents."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import HYPER
from ..entropy.coder import Int32
from ..entropy.numbers import COORDINATE_MAX
from ..lab.nets import HyperAnalysis
from ..lab.nets.prior import compand


def hyper_latents(network: HyperAnalysis, u: Tensor) -> Int32:
    """Latents in units of about a quantization step [M, h, w] -> z int32 [Z, h/4, w/4]."""
    bottom, right = -u.shape[1] % HYPER, -u.shape[2] % HYPER
    padded = F.pad(compand(u)[None], (0, right, 0, bottom), mode="replicate")  # [1, M, h', w']
    z = network(padded)[0].round().clamp(-COORDINATE_MAX, COORDINATE_MAX)
    out: Int32 = z.to(torch.int32).cpu().numpy()
    return out

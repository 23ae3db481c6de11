"""What training does with a batch, for tests of passes that a GPU records."""

import torch

from latticecodec.lab.training.data import as_input
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.loop import weighed
from latticecodec.lab.training.passes import Pass


def one_pass(model: LatticeModel, device: torch.device) -> Pass:
    """A pass at a batch of pixels at rate coordinates, with noise of a seed: loss, bpp, MSE."""

    def compute(pixels: torch.Tensor, t: torch.Tensor, noise: torch.Generator) -> tuple[torch.Tensor, ...]:
        return weighed(model, as_input(pixels, device), t, noise, None)

    return Pass(model, compute, device, record=True)

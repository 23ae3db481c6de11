"""The parts of a loaded model: what encoder and decoder both hold."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import ModelConfig
from ..kinds import Bottleneck
from ..lab.nets import Analysis, Synthesis


@dataclass(frozen=True)
class Networks:
    """A model on a device."""

    config: ModelConfig
    device: torch.device
    analysis: Analysis
    synthesis: Synthesis
    bottleneck: Bottleneck

    def decoded(self, y_hat: Tensor, t: float) -> Tensor:
        """Latents y_hat [1, M, h, w] at rate coordinate t -> x_hat [1, 3, 16 h, 16 w]."""
        at = torch.tensor([t], device=self.device, dtype=torch.float32)
        x_hat: Tensor = self.synthesis(y_hat.contiguous(memory_format=torch.channels_last), at)
        return x_hat

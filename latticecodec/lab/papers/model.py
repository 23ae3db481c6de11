"""Encoder, quantizer and decoder of one experiment."""

from torch import Tensor, nn

from ..arithmetic import seeded
from ..nets.autoencoders import AUTOENCODERS
from ..quantizers.codewords import float32
from .bottleneck import KINDS, Passed
from .experiment import Experiment


class PaperModel(nn.Module):
    """The autoencoder of an experiment; pictures [B, C, H, W] with sides that the encoder divides.

    Args:
        experiment: what to build.
        channels: of the pictures.
        steps: of the training, for the adaptive quantizer's temperature.
        seed: of all first weights.
    """

    def __init__(self, experiment: Experiment, channels: int, steps: int, seed: int) -> None:
        super().__init__()
        with seeded(seed):
            networks = AUTOENCODERS[experiment.network](channels, experiment.dimensions)
            self.experiment = experiment
            self.encoder, self.decoder = networks.encoder, networks.decoder
            self.bottleneck = KINDS[experiment.quantizer](experiment, networks.hidden, steps, seed)

    def to_input(self, pixels: Tensor) -> Tensor:
        """uint8 [B, C, H, W] -> float32 in the experiment's range."""
        return pixels.float() / 255 * self.experiment.span + self.experiment.low  # [B, C, H, W]

    def to_unit(self, x: Tensor) -> Tensor:
        """The experiment's range -> [0, 1], clamped."""
        return ((x - self.experiment.low) / self.experiment.span).clamp(0, 1)  # [B, C, H, W]

    def encode(self, x: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
        """x [B, C, H, W] -> rows [B h w, D] and (B, h, w)."""
        z = self.encoder(x)  # [B, D, h, w]
        return z.movedim(1, -1).flatten(0, 2), (z.shape[0], z.shape[2], z.shape[3])  # [B h w, D]

    def decode(self, rows: Tensor, shape: tuple[int, int, int]) -> Tensor:
        """Rows [B h w, D] of (B, h, w) -> x_hat [B, C, H, W]."""
        count, height, width = shape
        out: Tensor = self.decoder(rows.view(count, height, width, -1).movedim(-1, 1))  # [B, C, H, W]
        return out

    def forward(self, x: Tensor, progress: float) -> tuple[Tensor, Tensor, Passed]:
        """x [B, C, H, W] -> x_hat [B, C, H, W], the rows [N, D] before quantization, and what became of them.

        In an autocast region the networks are in mixed precision; the bottleneck is in float32.
        """
        rows, shape = self.encode(x)
        with float32(x.device):
            rows = rows.float()  # [N, D]
            passed = self.bottleneck(rows, progress)
        return self.decode(passed.values, shape).float(), rows, passed

"""The small convolutional autoencoders of the papers that `lcodec reproduce` reruns; [B, C, H, W] pictures.

    encoder  x [B, C, H, W] ─► z [B, hidden, h, w], quantized as D values a position
    decoder  values [B, hidden, h, w] ─► x_hat [B, C, H, W]

- `strided`: LL-VQ-VAE (arXiv 2310.09382, section 4.1, and its published code): a 4x4 stride-2 convolution for each of
  `widths`, a 3x3 one, two residual layers, 1x1 to D, LeakyReLU throughout, also at the end.
- `cnn`, `resnet`, `inception`: "Balance of Number of Embedding" (arXiv 2407.04939) on the public VQ-VAE example that it
  names as its base: two stride-2 convolutions and a 3x3 one, then nothing, residual layers, or inception blocks; the
  decoder has the same before it doubles the sides. Quantizers project to D and back.
- `rotation`: the CIFAR-10 model of "Rotational and rescaling VQ-VAE": two stride-2 convolutions and two residual blocks
  of D channels that end in a ReLU; tanh at the end.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

HIDDEN = 128  # channels of the networks of "Balance of Number of Embedding"


@dataclass(frozen=True)
class Autoencoder:
    """Two networks and what lies between them."""

    encoder: nn.Module
    decoder: nn.Module
    hidden: int  # channels of the latents


class Residual(nn.Module):
    """x + 1x1(ReLU(3x3(x))), without biases; [B, C, h, w] -> [B, C, h, w]."""

    def __init__(self, channels: int, inner: int, first: bool = False) -> None:
        super().__init__()
        before = [nn.ReLU()] if first else []
        three = nn.Conv2d(channels, inner, 3, padding=1, bias=False)
        self.branch = nn.Sequential(*before, three, nn.ReLU(), nn.Conv2d(inner, channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.branch(x)  # [B, C, h, w]
        return out


class Inception(nn.Module):
    """1x1, 3x3, 5x5 and pooled branches of C/4 channels side by side; [B, C, h, w] -> [B, C, h, w]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        part = channels // 4
        self.branches = nn.ModuleList(
            [
                nn.Conv2d(channels, part, 1),
                nn.Sequential(nn.Conv2d(channels, part, 1), nn.ReLU(), nn.Conv2d(part, part, 3, padding=1)),
                nn.Sequential(nn.Conv2d(channels, part, 1), nn.ReLU(), nn.Conv2d(part, part, 5, padding=2)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(channels, part, 1)),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1).relu()  # [B, C, h, w]


class RectifiedResidual(nn.Module):
    """ReLU(x + 3x3(ReLU(3x3(x)))); [B, C, h, w] -> [B, C, h, w]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = (x + self.branch(x)).relu()  # [B, C, h, w]
        return out


def down(inputs: int, outputs: int) -> nn.Conv2d:
    """Halve both sides."""
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)


def up(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Double both sides."""
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)


def strided(channels: int, dimensions: int, widths: Sequence[int]) -> Autoencoder:
    """LL-VQ-VAE: sides shrink by 2 for each of `widths`."""
    encoder: list[nn.Module] = []
    for before, after in zip([channels, *widths], widths, strict=False):
        encoder += [down(before, after), nn.LeakyReLU()]
    last = widths[-1]
    encoder += [nn.Conv2d(last, last, 3, padding=1), nn.LeakyReLU(), Residual(last, last), Residual(last, last)]
    encoder += [nn.LeakyReLU(), nn.Conv2d(last, dimensions, 1), nn.LeakyReLU()]
    decoder: list[nn.Module] = [nn.Conv2d(dimensions, last, 3, padding=1), nn.LeakyReLU()]
    decoder += [Residual(last, last), Residual(last, last), nn.LeakyReLU()]
    back = [*reversed(widths), channels]
    for before, after in pairwise(back):
        decoder += [up(before, after), nn.LeakyReLU()]
    return Autoencoder(nn.Sequential(*encoder), nn.Sequential(*decoder), dimensions)


def balance(channels: int, middle: Callable[[], list[nn.Module]]) -> Autoencoder:
    """The networks of "Balance of Number of Embedding", sides shrink by 4; `middle` is what follows 3x3 in both."""
    encoder = [down(channels, HIDDEN // 2), nn.ReLU(), down(HIDDEN // 2, HIDDEN), nn.ReLU()]
    encoder += [nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1), *middle()]
    decoder = [nn.Conv2d(HIDDEN, HIDDEN, 3, padding=1), *middle()]
    decoder += [up(HIDDEN, HIDDEN // 2), nn.ReLU(), up(HIDDEN // 2, channels)]
    return Autoencoder(nn.Sequential(*encoder), nn.Sequential(*decoder), HIDDEN)


def _residuals() -> list[nn.Module]:
    return [Residual(HIDDEN, HIDDEN // 4, first=True), Residual(HIDDEN, HIDDEN // 4, first=True), nn.ReLU()]


def rotation(channels: int, dimensions: int) -> Autoencoder:
    """The CIFAR-10 model of "Rotational and rescaling VQ-VAE", sides shrink by 4; values in [-1, 1]."""
    half = dimensions // 2
    encoder = [down(channels, half), nn.ReLU(), down(half, dimensions), nn.ReLU()]
    decoder: list[nn.Module] = []
    for part in (encoder, decoder):
        part += [RectifiedResidual(dimensions), RectifiedResidual(dimensions)]
    decoder += [up(dimensions, half), nn.ReLU(), up(half, channels), nn.Tanh()]
    return Autoencoder(nn.Sequential(*encoder), nn.Sequential(*decoder), dimensions)


AUTOENCODERS: dict[
    str, Callable[[int, int], Autoencoder]
] = {  # name: (picture channels, D where the latents have no other)
    "strided-2": lambda channels, dimensions: strided(channels, dimensions, [64]),
    "strided-4": lambda channels, dimensions: strided(channels, dimensions, [16, 32]),
    "cnn": lambda channels, _: balance(channels, lambda: [nn.ReLU()]),
    "resnet": lambda channels, _: balance(channels, _residuals),
    "inception": lambda channels, _: balance(channels, lambda: [nn.ReLU(), Inception(HIDDEN), Inception(HIDDEN)]),
    "rotation": rotation,
}

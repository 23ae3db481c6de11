"""Train a small generative prior on the index tensors of .lcq files: what WebDataset reads, PyTorch learns.

    pip install 'latticecodec[bulk,torch]' webdataset
    lcodec bulk photos/ packed/ --to tars -q 20
    python samples/index_prior.py 'packed/pictures-{00000000..00000099}.tar'

The prior predicts each lattice coordinate from those of its neighbours above and to the left, as a logistic
distribution; what is printed is how many bits it needs for a coordinate. It is as simple as such a thing can be.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
import webdataset as wds
from torch import Tensor, nn

from latticecodec.webdataset import Indices

CROP = 8  # latent positions a side, 16 pixels each
RANDOM = np.random.default_rng(0)  # of the places of crops


class Prior(nn.Module):
    """Mean and scale of each coordinate, from the positions before it."""

    def __init__(self, channels: int, width: int = 96) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, width, 5, padding=2)
        self.mix = nn.Sequential(nn.GELU(), nn.Conv2d(width, width, 1), nn.GELU(), nn.Conv2d(width, 2 * channels, 1))
        past = torch.ones(5, 5)
        past[2, 2:] = past[3:] = 0  # this position, and those that come after it
        self.register_buffer("past", past)

    def forward(self, indices: Tensor) -> Tensor:
        """Bits of each coordinate of index tensors [N, C, h, w]; of the same shape."""
        weight = self.enter.weight * self.past  # [width, C, 5, 5]
        seen = F.conv2d(torch.asinh(indices), weight, self.enter.bias, padding=2)  # [N, width, h, w]
        mean, scale = self.mix(seen).chunk(2, dim=1)  # each [N, C, h, w]
        width = F.softplus(scale) + 0.02  # [N, C, h, w]
        upper = torch.sigmoid((indices + 0.5 - mean) / width)  # [N, C, h, w]
        lower = torch.sigmoid((indices - 0.5 - mean) / width)  # [N, C, h, w]
        return -torch.log2((upper - lower).clamp_min(1e-6))  # [N, C, h, w]


def crop(indices: np.ndarray) -> np.ndarray:
    """A part of an index tensor [C, h, w]: float32 [C, 8, 8], with zeros where it is smaller."""
    top, left = (RANDOM.integers(max(1, side - CROP + 1)) for side in indices.shape[1:])
    part = indices[:, top : top + CROP, left : left + CROP]
    missing = [(0, 0), *((0, CROP - side) for side in part.shape[1:])]
    return np.pad(part, missing).astype(np.float32)  # [C, 8, 8]


def train(shards: str, steps: int, batch: int, model: str | None = None) -> list[float]:
    """Bits for a coordinate at every step."""
    torch.manual_seed(0)
    files = wds.WebDataset(shards, shardshuffle=False).decode(Indices(model))
    neural = files.select(lambda sample: len(sample["lcq"]))  # what is stored exactly has no indices
    samples = neural.to_tuple("lcq").map_tuple(crop)
    batches = iter(samples.repeat().batched(batch))
    prior, found = None, []
    for step in range(steps):
        indices = torch.as_tensor(next(batches)[0])  # [N, C, 8, 8]
        if prior is None:
            prior = Prior(indices.shape[1])
            optimiser = torch.optim.Adam(prior.parameters(), lr=2e-3)
        bits = prior(indices).mean()
        optimiser.zero_grad()
        bits.backward()
        optimiser.step()
        found.append(bits.item())
        if step % 50 == 0 or step + 1 == steps:
            print(f"step {step:5}  {bits.item():.4f} bits a coordinate")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", help="tars, as WebDataset names them")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--model", help="folder of the model that the files were written with, where not installed")
    asked = parser.parse_args()
    train(asked.shards, asked.steps, asked.batch, asked.model)

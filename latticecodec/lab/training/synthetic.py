"""Pictures that the package draws itself: for demonstrations and tests, not for training models that matter."""

import torch
import torch.nn.functional as F
from torch import Tensor


def synthetic_picture(seed: int, height: int = 288, width: int = 288) -> Tensor:
    """A picture with photograph-like statistics: 1/f texture, smooth shading and a few sharp shapes.

    Returns uint8 [3, height, width], the same for the same seed.
    """
    generator = torch.Generator().manual_seed(seed)
    picture = torch.zeros(3, height, width)
    for octave in range(1, 8):
        side = 2**octave
        noise = torch.randn(1, 3, side, side, generator=generator)
        noise[:, 1:] = 0.3 * noise[:, 1:] + 0.7 * noise[:, :1]  # channels of photographs go together
        layer = F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)[0]
        picture += layer * 0.9**octave / octave
    rows = torch.linspace(0, 1, height)[:, None]
    columns = torch.linspace(0, 1, width)[None]
    for _ in range(6):
        x, y, radius = torch.rand(3, generator=generator).tolist()
        colour = torch.randn(3, generator=generator)[:, None, None]
        shape = ((columns - x) ** 2 + (rows - y) ** 2).sqrt() < 0.05 + 0.2 * radius
        picture = torch.where(shape, 0.5 * picture + 0.7 * colour, picture)
    return (torch.sigmoid(picture) * 255).round().to(torch.uint8)  # [3, height, width]

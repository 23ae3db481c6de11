"""Samples to the tensors that networks take, and back: padding, crop, rounding."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ImageError
from .pixels import GREY, RGB, Pixels, Samples, check_size, from_array

if TYPE_CHECKING:
    from torch import Tensor

Planes = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
PEAKS = {8: 255, 16: 65535}  # by bits a sample


def to_tensor(colour: Samples, multiple: int) -> "Tensor":
    """uint8 or uint16 [H, W, C] -> float32 [1, 3, H', W'] in [0, 1]; edges repeated up to a multiple of `multiple`."""
    import torch

    height, width, _ = colour.shape
    pad = ((0, -height % multiple), (0, -width % multiple), (0, 0))
    padded = np.pad(colour, pad, mode="edge")
    if padded.dtype == np.uint16:
        padded = padded.astype(np.int32)  # torch does little with its own uint16
    peak = PEAKS[8 * colour.dtype.itemsize]
    x = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / peak  # [1, C, H', W']
    return x.expand(-1, RGB, -1, -1).contiguous(memory_format=torch.channels_last)  # [1, 3, H', W']


def from_tensor(x: "Tensor", width: int, height: int, channels: int, depth: int = 8) -> Samples:
    """Float [1, 3, H', W'] -> uint8 or uint16 [height, width, channels]; one channel is the mean of the three.

    Args:
        x: in [0, 1]; what lies outside is clamped, what is no number (of an altered file) is 0.
        width: pixels that are kept of W', from the left.
        height: pixels that are kept of H', from the top.
        channels: 1 grey or 3 RGB.
        depth: bits a sample, 8 or 16.
    """
    import torch

    x = x[0, :, :height, :width]  # [3, H, W]
    if channels == GREY:
        x = x.mean(0, keepdim=True)  # [1, H, W]
    scaled = x.nan_to_num(0).clamp(0, 1).mul(PEAKS[depth]).round().permute(1, 2, 0)  # [H, W, C]
    if depth == 8:
        samples: Samples = scaled.byte().cpu().numpy()
        return samples
    return scaled.to(torch.int32).cpu().numpy().astype(np.uint16)


def to_planes(colour: Samples, multiple: int) -> Planes:
    """uint8 or uint16 [H, W, C] -> float32 [3, H', W'] in [0, 1]; edges repeated up to a multiple of `multiple`."""
    height, width, _ = colour.shape
    padded = np.pad(colour, ((0, -height % multiple), (0, -width % multiple), (0, 0)), mode="edge")
    planes = padded.transpose(2, 0, 1) / np.float32(PEAKS[8 * colour.dtype.itemsize])  # [C, H', W']
    return np.ascontiguousarray(np.broadcast_to(planes, (RGB, *planes.shape[1:])), np.float32)


def from_planes(x: Planes, width: int, height: int, channels: int, depth: int = 8) -> Samples:
    """As `from_tensor`, of x [3, H', W']."""
    x = x[:, :height, :width]  # [3, H, W]
    if channels == GREY:
        x = x.mean(0, keepdims=True)  # [1, H, W]
    scaled = np.rint(np.nan_to_num(x, nan=0.0).clip(0, 1) * np.float32(PEAKS[depth])).transpose(1, 2, 0)  # [H, W, C]
    samples: Samples = np.ascontiguousarray(scaled.astype(np.uint8 if depth == 8 else np.uint16))
    return samples


def pixels_of_tensor(tensor: Any) -> Pixels:
    """A tensor [1 to 4, H, W] of uint8, uint16 or floats in [0, 1] (which become 8 bits) to Pixels; else ImageError."""
    import torch

    if not isinstance(tensor, torch.Tensor):
        kind = type(tensor).__name__
        told = "expected a PIL image, a path, an open file or its bytes, an array or a tensor"
        raise ImageError(f"the picture is given as {kind}; {told}")
    if tensor.is_meta:
        raise ImageError("a tensor on the meta device, which holds no values; give one that does")
    if tensor.ndim == 4 and tensor.shape[0] == 1:
        tensor = tensor[0]
    if tensor.ndim != 3:
        raise ImageError(f"a tensor of shape {tuple(tensor.shape)}; expected [1 to 4, H, W]")
    if not tensor.shape[0]:
        raise ImageError("a tensor of no channels; expected [1 to 4, H, W]")
    check_size(tensor.shape[2], tensor.shape[1])
    if tensor.is_floating_point():
        if not bool(torch.isfinite(tensor).all()) or float(tensor.min()) < 0 or float(tensor.max()) > 1:
            raise ImageError("a floating-point tensor with values outside [0, 1]")
        tensor = (tensor.detach().float() * 255).round().to(torch.uint8)
    if tensor.dtype not in (torch.uint8, torch.uint16):
        raise ImageError(f"a tensor of {tensor.dtype}; expected uint8, uint16 or floats in [0, 1]")
    return from_array(tensor.permute(1, 2, 0).cpu().numpy())

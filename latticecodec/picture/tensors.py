"""Samples to the planes that networks take, and back: padding, crop, rounding; and tensors as pictures."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ImageError
from .pixels import GREY, RGB, Pixels, Samples, check_size, from_array

Float32 = NDArray[np.float32]

PEAKS = {8: 255, 16: 65535}  # by bits a sample


def to_planes(colour: Samples, multiple: int) -> Float32:
    """uint8 or uint16 [H, W, C] -> float32 [3, H', W'] in [0, 1]; edges repeated up to a multiple of `multiple`."""
    height, width, channels = colour.shape
    peak = np.float32(PEAKS[8 * colour.dtype.itemsize])
    x = np.empty((channels, height + -height % multiple, width + -width % multiple), np.float32)  # [C, H', W']
    np.divide(colour.transpose(2, 0, 1), peak, out=x[:, :height, :width])
    x[:, :height, width:] = x[:, :height, width - 1 : width]
    x[:, height:] = x[:, height - 1 : height]
    return x if channels == RGB else np.repeat(x, RGB, axis=0)  # [3, H', W']


def from_planes(x: Float32, width: int, height: int, channels: int, depth: int = 8) -> Samples:
    """Float32 [3, H', W'] -> uint8 or uint16 [height, width, channels]; one channel is the mean of the three.

    Args:
        x: in [0, 1]; what lies outside is clamped, what is no number (of an altered file) is 0.
        width: pixels that are kept of W', from the left.
        height: pixels that are kept of H', from the top.
        channels: 1 grey or 3 RGB.
        depth: bits a sample, 8 or 16.
    """
    x = x[:, :height, :width]  # [3, H, W]
    if channels == GREY:
        x = x.mean(0, keepdims=True)  # [1, H, W]
    scaled = np.fmax(x, 0)  # [C, H, W]; of a number and none it takes the number
    np.minimum(scaled, 1, out=scaled)
    np.multiply(scaled, np.float32(PEAKS[depth]), out=scaled)
    np.rint(scaled, out=scaled)
    return np.stack(list(scaled.astype(np.uint8 if depth == 8 else np.uint16)), axis=-1)  # [H, W, C]


def pixels_of_tensor(tensor: Any) -> Pixels:
    """A tensor [1 to 4, H, W] of uint8, uint16 or floats in [0, 1] (which become 8 bits) to Pixels; else ImageError."""
    torch = sys.modules.get("torch")  # whoever has a tensor has imported it
    if torch is None or not isinstance(tensor, torch.Tensor):
        kind = type(tensor).__name__
        told = "expected a PIL image, a path, an open file or its bytes, an array or a tensor"
        raise ImageError(f"the picture is given as {kind}; {told}")
    if tensor.is_meta:
        raise ImageError("a tensor on the meta device, which holds no values; give one that does")
    if tensor.layout != torch.strided:
        raise ImageError(f"a tensor of layout {tensor.layout}; expected a dense one")
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

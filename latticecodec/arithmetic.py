"""Arithmetic idioms: plain float32, mixed precision where it is fast, and rounding with a gradient."""

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from .errors import LcqError


@contextlib.contextmanager
def exact_arithmetic(device: torch.device, gradients: bool = False) -> Iterator[None]:
    """Full float32: no autocast, no reduced-precision matrix products or convolutions; inference unless `gradients`.

    Running out of memory inside is an LcqError.
    """
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.autocast(device.type, enabled=False),
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            torch.inference_mode(not gradients),
        ):
            yield
    except (torch.OutOfMemoryError, MemoryError):
        raise LcqError(f"not enough memory on {device} for a picture of this size") from None
    except RuntimeError as error:
        if "allocate memory" not in str(error):
            raise
        raise LcqError(f"not enough memory on {device} for a picture of this size") from None
    finally:
        torch.set_float32_matmul_precision(precision)


def mixed_precision(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16 on CUDA and on CPUs with AMX or AVX512-BF16; elsewhere it is emulated, so float32 stays."""
    fast = device.type != "cpu" or torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=bool(fast))


def straight_through(rounded: Tensor, exact: Tensor) -> Tensor:
    """`rounded` in the forward pass, the gradient of `exact` in the backward pass (Bengio et al. 2013)."""
    return exact + (rounded - exact).detach()

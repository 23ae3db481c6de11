"""Arithmetic idioms: plain float32, mixed precision where it is fast, and rounding with a gradient.

Nothing here changes a setting of the process for good: what is switched off is switched off for the calling thread
(autocast, gradients), and products ask for their precision one by one.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import LcqError

FULL = ("none", "ieee")  # values of fp32_precision that leave float32 as it is


@contextlib.contextmanager
def exact_arithmetic(device: torch.device, gradients: bool = False) -> Iterator[None]:
    """No autocast, and inference unless `gradients`, whatever mode the caller is in; of this thread alone.

    Products inside are to be those of `multiply` and `convolve`. Running out of memory inside is an LcqError.
    """
    try:
        with torch.autocast(device.type, enabled=False), torch.inference_mode(not gradients):
            yield
    except (torch.OutOfMemoryError, MemoryError):
        raise LcqError(f"not enough memory on {device} for a picture of this size") from None
    except RuntimeError as error:
        if "allocate memory" not in str(error):
            raise
        raise LcqError(f"not enough memory on {device} for a picture of this size") from None


@contextlib.contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """What every call works in, and every model is made in, whatever mode the caller is in; of this thread alone.

    No inference mode, whose tensors could never be used with gradients; no gradients, no autocast; and what does not
    name a device is on the CPU. A default type cannot be set for one thread: tensors name theirs.
    """
    with (
        torch.inference_mode(False),
        torch.no_grad(),
        torch.autocast(device.type, enabled=False),
        torch.device("cpu"),
    ):
        yield


def product_type(device: torch.device) -> torch.dtype:
    """In what products of float32 are computed on a kind of device.

    float64, which takes some three times as long, where the process allows float32 to be rounded to bfloat16 or TF32
    (`torch.set_float32_matmul_precision`, `torch.backends.*.fp32_precision`). What it allows to convolutions on CUDA
    does not count: `convolve` tells each that it may not.
    """
    backends: Any = torch.backends
    used = (backends.cuda.matmul,) if device.type == "cuda" else (backends.mkldnn.matmul, backends.mkldnn.conv)
    full = all(backend.fp32_precision in FULL for backend in used)
    return torch.float32 if full else torch.float64


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """Matrix product of float32 a [n, m] and b [m, l] in full precision, float32 [n, l]."""
    wide = product_type(a.device)
    return torch.matmul(a.to(wide), b.to(wide)).to(torch.float32)


def convolve(x: Tensor, weight: Tensor, bias: Tensor, padding: int = 0, groups: int = 1) -> Tensor:
    """Convolution of x [B, C, h, w] with weight [out, C / groups, k, k]: [B, out, h', w'].

    In full float32, unless the caller is in autocast.
    """
    if _in_autocast(x.device.type):
        if x.is_cuda and weight.shape[2:] == (1, 1):
            return F.linear(x.permute(0, 2, 3, 1), weight[:, :, 0, 0], bias).permute(0, 3, 1, 2)  # faster there
        return F.conv2d(x, weight, bias, padding=padding, groups=groups)
    wide = product_type(x.device)
    out: Tensor = torch._convolution(  # conv2d, but for its last argument: whether TF32 may be used
        x.to(wide),
        weight.to(wide),
        bias.to(wide),
        stride=(1, 1),
        padding=(padding, padding),
        dilation=(1, 1),
        transposed=False,
        output_padding=(0, 0),
        groups=groups,
        benchmark=False,
        deterministic=False,
        cudnn_enabled=True,
        allow_tf32=False,
    )
    return out.to(x.dtype)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers on the CPU that follow from `seed`; behind it those of the caller go on where they were."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(state)


@contextlib.contextmanager
def flushed_denormals() -> Iterator[None]:
    """Numbers too small for full precision count as 0, which is faster, in this thread; behind it as before."""
    before = float(torch.full((1,), 1e-40, dtype=torch.float32).mul(1)) == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def mixed_precision(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16 where that is fast; elsewhere float32 stays."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_fast_bfloat16(device))


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16: CUDA, and CPUs with AMX or AVX512-BF16; others emulate it."""
    return bool(device.type != "cpu" or torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def in_product_type(x: Tensor) -> Tensor:
    """x in the type that a product would turn it into: autocast's, where the caller is in autocast."""
    return x.to(torch.get_autocast_dtype(x.device.type)) if _in_autocast(x.device.type) else x


def _in_autocast(kind: str) -> bool:
    """Whether the caller is in autocast on this kind of device."""
    known = torch.compiler.is_compiling() or torch.amp.is_autocast_available(kind)  # only the second can be compiled
    return known and torch.is_autocast_enabled(kind)


def straight_through(rounded: Tensor, exact: Tensor) -> Tensor:
    """`rounded` in the forward pass, the gradient of `exact` in the backward pass (Bengio et al. 2013)."""
    return exact + (rounded - exact).detach()

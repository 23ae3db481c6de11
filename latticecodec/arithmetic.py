"""Plain float32 arithmetic, whatever the caller has switched on around it."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def exact_arithmetic(device: torch.device) -> Iterator[None]:
    """Inference in full float32: no autocast, no reduced-precision matrix products or convolutions, no gradients."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.autocast(device.type, enabled=False),
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            torch.inference_mode(),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(precision)

"""Where networks can be computed: on processors, or on CUDA where PyTorch finds it."""

import os
import sys
from importlib.util import find_spec

from .arguments import shown
from .errors import LcqError

GPU_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # on Linux, in WSL, of AMD


def resolve_device(device: str) -> str:
    """Resolve "auto" to "cuda" or "cpu"; raises LcqError for CUDA where there is none.

    Where nothing speaks for CUDA, torch is not imported to find out.
    """
    if not isinstance(device, str) or device not in ("auto", "cpu", "cuda"):
        raise LcqError(f"unknown device {shown(device)}; choose auto, cpu or cuda")
    if device == "auto":
        return "cuda" if _may_have_cuda() and _has_cuda() else "cpu"
    if device == "cuda":
        from .extras import require

        require("torch", "`device` cuda")
        if not _has_cuda():
            raise LcqError("no CUDA device is available; choose `device` cpu, or auto")
    return device


def _has_cuda() -> bool:
    """Whether torch, which must be installed, finds a CUDA device."""
    import torch

    return bool(torch.cuda.is_available())


def _may_have_cuda() -> bool:
    """Whether torch is installed and a driver of GPUs may be there, found out without importing torch."""
    if "torch" in sys.modules:
        return sys.modules["torch"] is not None
    if sys.platform == "darwin" or (sys.platform == "linux" and not any(map(os.path.exists, GPU_DRIVERS))):
        return False
    return find_spec("torch") is not None

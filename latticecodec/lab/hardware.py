"""What computes, in words: for results and model cards."""

import platform
from pathlib import Path

import torch


def hardware(device: torch.device) -> str:
    """The GPU's name, or the processor's kind and the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    facts = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = [line.partition(":")[2].strip() for line in facts if line.startswith("model name")]
    threads = torch.get_num_threads()
    return f"{named[0] if named else platform.machine()}, {threads} thread{'s'[: threads != 1]}"

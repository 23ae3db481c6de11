"""Which arithmetic to train in: bfloat16 where the hardware multiplies it faster than float32."""

import torch


def mixed_precision(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16 on CUDA and on CPUs with AMX or AVX512-BF16; elsewhere it is emulated, so float32 stays."""
    fast = device.type != "cpu" or torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=bool(fast))

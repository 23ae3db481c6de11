"""From a trained model to a model folder.

Transforms are stored in float16, the lattice in float32, the prior as the integers it codes with.
"""

import dataclasses
import hashlib
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from ...backends.torch import TorchBackend
from ...config import CONFIG, WEIGHTS, ModelConfig
from ...errors import OutputError, TrainingError
from ...kinds import KINDS
from ...lowrank import with_low_rank
from ...weights import BASE_DIGEST
from ...zoo import ModelInfo, installed, read_weights
from ..tensors import as_arrays, as_tensors
from .model import PhotoModel


@torch.no_grad()
def export(model: PhotoModel, folder: Path, card: str) -> ModelConfig:
    """Write model.safetensors, config.json and README.md (`card`) to `folder`; returns the config with its digest.

    Of a model with a base only what differs from it is stored. The folder appears whole or not at all. Raises
    OutputError when it exists.
    """
    model = model.cpu()
    tensors = {name: value.half().contiguous() for name, value in model.transform_tensors().items()}
    tensors |= model.coded_tensors()
    if not model.config.base:
        return write_model(folder, model.config, tensors, card, self_test(tensors, model.config))
    base = installed(model.config.base)
    theirs, kept = as_tensors(read_weights(base)), model.base_tensors()
    own = {name: value for name, value in tensors.items() if not (name in kept or _same(value, theirs.get(name)))}
    fingerprint = self_test(as_tensors(with_low_rank(as_arrays(theirs | own))), model.config)
    return write_model(folder, model.config, own | {BASE_DIGEST: base_digest(base)}, card, fingerprint)


def _same(value: Tensor, other: Tensor | None) -> bool:
    return other is not None and value.dtype == other.dtype and torch.equal(value, other)


def base_digest(base: ModelInfo) -> Tensor:
    """What ties a model to its base: the SHA-256 of the base's weights, uint8 [32]."""
    return torch.tensor(list(bytes.fromhex(base.config.weights_sha256)), dtype=torch.uint8)


def write_model(
    folder: Path, config: ModelConfig, tensors: dict[str, Tensor], card: str, fingerprint: str
) -> ModelConfig:
    """Write a model folder, whole or not at all; returns `config` with its digests."""
    if folder.exists():
        raise OutputError(f"{folder}: exists already; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        (part / WEIGHTS).write_bytes(save(tensors))  # a full disk is an OSError then
        digest = hashlib.sha256((part / WEIGHTS).read_bytes()).hexdigest()
        config = dataclasses.replace(config, weights_sha256=digest, prior_sha256=fingerprint)
        config.write(part / CONFIG)
        (part / "README.md").write_text(card, encoding="utf-8")
        part.chmod(0o755)
        (part / WEIGHTS).chmod(0o644)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return config


def self_test(tensors: dict[str, Tensor], config: ModelConfig) -> str:
    """The fingerprint of a model's prior, for every later load to check; raises where it does not round-trip."""
    arrays = as_arrays(tensors)
    kind = KINDS[config.quantizer](config, arrays, TorchBackend(config, arrays))
    y = np.arange(config.latents * 5 * 6, dtype=np.float32).reshape(config.latents, 5, 6) % 23 - 11  # [M, 5, 6]
    rate = kind.rates.of_quality(50)
    coded = kind.encode(kind.prepare(y, rate, None), rate, 0)
    if not np.array_equal(kind.decode(coded.payload, rate, 5, 6), coded.indices):
        raise TrainingError("the exported prior does not decode what it encodes; please report it")
    return kind.fingerprint()

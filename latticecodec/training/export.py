"""From a trained model to a model folder, and back to a trainable model for a warm start.

Transforms are stored in float16, the lattice in float32, the prior as the integers it codes with.
"""

import dataclasses
import hashlib
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from ..coder import Decoder, Encoder
from ..config import ModelConfig
from ..errors import OutputError, TrainingError
from ..prior.integer import IntegerPrior
from ..prior.network import IntegerLayer, interpolate_knots, weight_exponents
from ..prior.numbers import (
    ACTIVATION_BITS,
    KNOTS,
    LEVELS,
    LOG_SCALE_MIN,
    MEAN_BITS,
    MEAN_MAX,
    SCALE_BITS,
    SCALE_COUNT,
    WEIGHT_MAX,
)
from ..prior.tables import make_table_index
from ..zoo import CONFIG, WEIGHTS, ModelInfo, read_weights
from .model import TrainableModel

SCALE_OFFSET = -LOG_SCALE_MIN  # the integer layer's scale output counts from the smallest sigma


@torch.no_grad()
def integer_state(model: TrainableModel) -> dict[str, Tensor]:
    """The prior's tensors as integers, named as `prior.integer` reads them."""
    prior, config = model.prior, model.config
    levels = torch.linspace(0, 1, LEVELS)
    state: dict[str, Tensor] = {}
    for name, layer in prior.named_modules():
        if not isinstance(layer, IntegerLayer):
            continue
        bias: Tensor = layer.bias
        if name == "context.leave":
            bias = bias.clone()
            bias[config.latents :] += SCALE_OFFSET
        if name == "hyper.enter":
            bias = bias + interpolate_knots(prior.hyper.level_bias, levels)  # [LEVELS, out]
        exponent = weight_exponents(layer.weight)  # [out]
        weight = (layer.weight * torch.exp2(exponent)[:, None]).round().clamp(-WEIGHT_MAX, WEIGHT_MAX)
        state[f"{name}.weight"] = weight.to(torch.int8)
        state[f"{name}.exponent"] = exponent.to(torch.int8)
        state[f"{name}.bias"] = (bias * torch.exp2(exponent + ACTIVATION_BITS)).round().to(torch.int32)
    mean = (interpolate_knots(prior.z_mean, levels) * 2**MEAN_BITS).round().clamp(-MEAN_MAX, MEAN_MAX)
    scale = (interpolate_knots(prior.z_scale, levels) - LOG_SCALE_MIN) * 2**SCALE_BITS
    state["z"] = torch.stack([mean, scale.round().clamp(0, SCALE_COUNT - 1)]).to(torch.int32)  # [2, LEVELS, Z]
    magnitude = torch.arange(2048, dtype=torch.float64)
    compand = (torch.asinh(magnitude) / 2 * 2**ACTIVATION_BITS).round().clamp(max=WEIGHT_MAX)
    state["compand"] = compand.to(torch.int8)
    index = make_table_index()
    state["tables.frequencies"] = torch.from_numpy(index.tables.frequencies)
    state["tables.offsets"] = torch.from_numpy(index.tables.offsets)
    state["tables.means"] = torch.from_numpy(index.means)
    state["tables.shifts"] = torch.from_numpy(index.shifts)
    state["tables.first"] = torch.from_numpy(index.first)
    return state


@torch.no_grad()
def export(model: TrainableModel, folder: Path, card: str) -> ModelConfig:
    """Write model.safetensors, config.json and README.md (`card`) to `folder`; returns the config with its digest.

    The folder appears whole or not at all. Raises OutputError when it exists.
    """
    model = model.cpu()
    tensors = {
        name: value.half().contiguous()
        for name, value in model.state_dict().items()
        if name.split(".")[0] in ("analysis", "synthesis", "hyper_analysis")
    }
    tensors |= {f"quantizer.{name}": value.float() for name, value in model.quantizer.state_dict().items()}
    tensors |= {f"prior.{name}": value.contiguous() for name, value in integer_state(model).items()}
    return write_model(folder, model.config, tensors, card, self_test(tensors, model.config))


def write_model(
    folder: Path, config: ModelConfig, tensors: dict[str, Tensor], card: str, fingerprint: str
) -> ModelConfig:
    """Write a model folder, whole or not at all; returns `config` with its digests."""
    if folder.exists():
        raise OutputError(f"{folder}: exists already; choose another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        save_file(tensors, part / WEIGHTS)
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
    state = {name.removeprefix("prior."): value for name, value in tensors.items() if name.startswith("prior.")}
    prior = IntegerPrior(config, state, torch.device("cpu"))
    u = np.arange(config.latents * 5 * 6, dtype=np.float32).reshape(config.latents, 5, 6) % 23 - 11
    encoder = Encoder()
    k = prior.encode(
        u,
        np.ones(prior.hyper.shape(5, 6), dtype=np.int32),
        LEVELS // 2,
        lambda residuals, ids: encoder.put(residuals, ids, prior.tables),
    )
    decoder = Decoder(encoder.finish())
    if not np.array_equal(prior.decode(lambda ids: decoder.get(ids, prior.tables), k.shape, LEVELS // 2), k):
        raise TrainingError("the exported prior does not decode what it encodes")
    return prior.fingerprint()


@torch.no_grad()
def trainable(info: ModelInfo, config: ModelConfig) -> TrainableModel:
    """A trainable model that starts where `info` ended; its float prior is recovered from the integers."""
    tensors = read_weights(info)
    model = TrainableModel(config)
    own = model.state_dict()
    for name in own:
        if name in tensors and not name.startswith("prior."):
            own[name] = tensors[name].float()
    prior = {name.removeprefix("prior."): value for name, value in tensors.items() if name.startswith("prior.")}
    knots = torch.linspace(0, LEVELS - 1, KNOTS).round().long()
    for name, layer in model.prior.named_modules():
        if not isinstance(layer, IntegerLayer):
            continue
        unit = torch.exp2(-prior[f"{name}.exponent"].float())  # [out]
        bias = prior[f"{name}.bias"].float() * unit * 2.0**-ACTIVATION_BITS
        if name == "context.leave":
            bias[config.latents :] -= SCALE_OFFSET
        if name == "hyper.enter":
            own["prior.hyper.level_bias"] = bias[knots]
            bias = torch.zeros_like(bias[0])
        own[f"prior.{name}.weight"] = prior[f"{name}.weight"].float() * unit[:, None]
        own[f"prior.{name}.bias"] = bias
    mean, scale = prior["z"].float()[:, knots]
    own["prior.z_mean"] = mean * 2.0**-MEAN_BITS
    own["prior.z_scale"] = scale * 2.0**-SCALE_BITS + LOG_SCALE_MIN
    model.load_state_dict(own)
    return model

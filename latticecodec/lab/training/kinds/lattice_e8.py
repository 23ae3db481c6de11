"""From a trained `lattice` model to its E8 twin: the same weights, a threshold and the tables of E8 points.

Nothing is trained. The threshold, the scale index from which coordinates form E8 blocks, is the one with the smallest
rate-distortion cost on validation pictures.
"""

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from ....codec import Codec
from ....config import ModelConfig
from ....entropy.e8 import E8Points
from ....entropy.numbers import LOG_SCALE_MIN, SCALE_BITS
from ....entropy.tables import TableIndex
from ....errors import TrainingError
from ....picture import psnr
from ....weights import BASE_DIGEST, part
from ....zoo import ModelInfo, called, list_models, read_weights
from ...nets.e8_state import e8_state
from ...nets.prior_state import compand_table
from ...tensors import as_arrays, as_tensors
from ..export import base_digest, self_test, write_model
from ..twin import Twin

NAME = "lattice-e8"
THRESHOLDS = (5, 7, 9, 11, 13, 15)  # scale indices, sigma 0.2 to 0.7 steps
QUALITIES = (50.0, 75.0, 100.0)


def e8_config(base: ModelInfo, beside: Path) -> ModelConfig:
    """The configuration of the E8 twin of `base` in folder `beside`, without digests.

    It refers to a base that is installed or lies beside it under its name; otherwise it will hold all tensors.
    """
    found = base in list_models() or base.folder == (beside.parent / base.name).resolve()
    return dataclasses.replace(
        base.config, name=NAME, quantizer=NAME, base=base.name if found else "", weights_sha256="", prior_sha256=""
    )


def e8_tensors(base: ModelInfo, threshold: int) -> dict[str, torch.Tensor]:
    """What the E8 twin of `base` adds to its tensors."""
    tensors = read_weights(base)
    index = TableIndex.from_state(part("prior", tensors))
    return {
        BASE_DIGEST: base_digest(base),
        "prior.compand": compand_table(E8Points.unit),
        **{f"prior.{name}": value for name, value in e8_state(index, threshold).items()},
    }


def make_e8(
    base: ModelInfo,
    pictures: Sequence[np.ndarray],
    folder: Path,
    thresholds: Sequence[int] = THRESHOLDS,
    report: Callable[[str], None] = lambda line: None,
    chosen_on: Sequence[str] = (),
) -> int:
    """Write the E8 twin of `base` to `folder`; returns its threshold.

    Args:
        base: a model with a diagonal lattice.
        pictures: uint8 arrays [H, W, 3] to choose the threshold on.
        folder: to create.
        thresholds: scale indices to try.
        report: called with a line for every threshold tried: its mean cost relative to `base`.
        chosen_on: options of `lcodec train` that name the pictures, for the model card.

    Raises TrainingError where `base` has another quantizer, OutputError where `folder` exists.
    """
    if base.config.quantizer != "lattice":
        raise TrainingError(f"model {base.name} has quantizer {base.config.quantizer}; E8 needs one with 'lattice'")
    config, weights = e8_config(base, folder), as_tensors(read_weights(base))
    reference = _costs(Codec(base.config, as_arrays(weights)), pictures)
    best = (np.inf, 0)
    for threshold in thresholds:
        tensors = weights | e8_tensors(base, threshold)
        trial = dataclasses.replace(config, weights_sha256="0" * 64, prior_sha256=self_test(tensors, config))
        costs = _costs(Codec(trial, as_arrays(tensors)), pictures)
        cost = float((costs / reference).mean())
        report(f"E8 from scale index {threshold}: rate-distortion cost {100 * (cost - 1):+.2f} %")
        best = min(best, (cost, threshold))
    cost, threshold = best
    own = e8_tensors(base, threshold)
    fingerprint = self_test(weights | own, config)
    card = _card(called(base), config, threshold, cost, len(pictures), chosen_on)
    if not config.base:
        own = {name: value for name, value in (weights | own).items() if name != BASE_DIGEST}
    write_model(folder, config, own, card, fingerprint)
    return threshold


def _costs(codec: Codec, pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Bits per pixel + lambda 255^2 MSE: [pictures, qualities]."""
    rows = []
    for pixels in pictures:
        row = []
        for quality in QUALITIES:
            data = codec.encode(pixels, quality)
            weight = codec.config.rate_weight(codec.kind.rates.of_quality(quality).t)
            error = 255**2 * 10 ** (-psnr(np.asarray(codec.decode(data)), pixels) / 10)
            row.append(8 * len(data) / (pixels.shape[0] * pixels.shape[1]) + weight * error)
        rows.append(row)
    return np.array(rows)


def _card(base: str, config: ModelConfig, threshold: int, cost: float, count: int, chosen_on: Sequence[str]) -> str:
    """The model card: what was measured to make it."""
    pictures = "validation" if chosen_on else "synthetic"
    command = ["lcodec", "train", "--quantizer", config.quantizer, "--init-from", base, *chosen_on]
    sigma = np.exp(LOG_SCALE_MIN + threshold / 2**SCALE_BITS)
    return (
        f"# {config.name}\n\n"
        f"The weights of `{base}`, with E8 points for blocks of eight coordinates of "
        f"predicted sigma {sigma:.2f} lattice steps (scale index {threshold}) and more. Nothing was trained. The "
        f"threshold had the smallest mean of bpp + lambda 255^2 MSE on {count} {pictures} pictures at qualities "
        f"{', '.join(f'{quality:g}' for quality in QUALITIES)}: {100 * (cost - 1):+.2f} % against `{base}`.\n\n"
        f"    {shlex.join(command)}\n"
    )


TWIN = Twin(NAME, "lattice", make_e8)

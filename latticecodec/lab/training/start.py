"""The model at step 0: from scratch, from another model, or as a checkpoint will fill it."""

import dataclasses

from torch import Tensor

from ... import zoo
from ...config import PATCH, PRESETS, ModelConfig
from ...errors import TrainingError
from ..arithmetic import seeded
from ..nets import initialise_from_patches
from .data import Crops
from .kinds import MODELS
from .model import PhotoModel, Source
from .options import Asked, TrainOptions
from .quantizer_options import DEFAULTS, QuantizerOptions


def start(asked: Asked, crops: Crops, options: TrainOptions) -> PhotoModel:
    """A model of the kind that is asked for. Raises TrainingError or ModelError."""
    kind = MODELS[asked.quantizer]
    if asked.init_from is None:
        config = kind.configured(dataclasses.replace(PRESETS[asked.preset], name=asked.name, tune=options.tune))
        return kind(config, options.quantizer) if asked.resume else new_model(config, crops, options.quantizer)
    info = zoo.find(asked.init_from)
    config = dataclasses.replace(info.config, name=asked.name, tune=options.tune, weights_sha256="", prior_sha256="")
    if config.quantizer not in MODELS:
        raise TrainingError(
            f"model {info.name} has quantizer {config.quantizer}, which is not trained: start from its base"
        )
    if config.base and zoo.base_of(info) not in zoo.list_models():
        config = dataclasses.replace(config, base="")
    return kind.start(Source(info, MODELS[config.quantizer], config), crops, options, asked.resume)


def new_model(config: ModelConfig, crops: Crops, options: QuantizerOptions = DEFAULTS) -> PhotoModel:
    """A model initialised with the PCA of patches from the first batches of `crops`."""
    with seeded(crops.seed):
        model = MODELS[config.quantizer](config, options)
    pictures = crops.first()  # [N, 3, S, S]
    initialise_from_patches(model.analysis, model.synthesis, _patches(pictures))
    model.fit(pictures)
    return model


def _patches(pictures: Tensor) -> Tensor:
    """Pictures [N, 3, S, S] cut into patches [P, 3, 16, 16]."""
    patches = pictures.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH)  # [N, 3, S/16, S/16, 16, 16]
    return patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3, PATCH, PATCH)

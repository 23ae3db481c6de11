"""What every trainable model is, whatever its kind: its transforms, how it starts, and what a step gives."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from ...config import ModelConfig
from ...errors import TrainingError
from ...kinds import KINDS
from ...zoo import ModelInfo, read_weights
from ..nets import Analysis, HyperAnalysis, Synthesis
from ..ranks import ALONE, Ranks
from ..tensors import as_tensors
from .options import TrainOptions
from .quantizer_options import DEFAULTS, QuantizerOptions

if TYPE_CHECKING:
    from .data import Crops

TRANSFORMS = ("analysis", "synthesis", "hyper_analysis")  # parts that every kind has


@dataclass(frozen=True)
class Forward:
    """What one pass over a batch gives."""

    bpp: Tensor  # [B] estimated bits per pixel, y and z
    bpp_z: Tensor  # [B] the part of z
    mse: Tensor  # [B] mean squared error of pixels in [0, 1]
    x_hat: Tensor  # [B, 3, H, W] not clamped
    loss: Tensor  # [] the quantizer's own loss


@dataclass(frozen=True)
class Source:
    """A model that a training starts from.

    Attributes:
        info: where it lies.
        model: the trainable model of its kind.
        config: its configuration, under the name and for the aim of the new model.
    """

    info: ModelInfo
    model: "type[PhotoModel]"
    config: ModelConfig


class PhotoModel(nn.Module, ABC):
    """All parameters of a photo codec; a subclass for each kind of model.

    Attributes:
        kind: its name, a key of kinds.KINDS.
        options: the fields of QuantizerOptions that are for it.
        tuned: whether it can be trained for other aims than PSNR, and as low-rank additions to a base.
        freezable: by what `freeze` is told, how the names of the parameters begin that do not train.
        recorded: whether a pass does the same every time, but for its inputs, and fetches nothing from the device.
        ranks: the processes that a batch is shared out among.
    """

    kind: ClassVar[str]
    options: ClassVar[tuple[str, ...]] = ()
    tuned: ClassVar[bool] = False
    freezable: ClassVar[Mapping[str, tuple[str, ...]]] = {"nothing": ()}
    recorded: ClassVar[bool] = False
    ranks: Ranks = ALONE
    quantizer: Any
    prior: Any

    def __init__(self, config: ModelConfig, options: QuantizerOptions = DEFAULTS) -> None:
        """A subclass adds its `quantizer` and its `prior`. Raises ModelError where `config` is not of the kind."""
        super().__init__()
        KINDS[self.kind].check(config)
        self.config = config
        self.analysis = Analysis(config)
        self.synthesis = Synthesis(config)
        self.hyper_analysis = HyperAnalysis(config)

    @classmethod
    def check(cls, options: TrainOptions, from_scratch: bool) -> None:
        """Raise TrainingError where options that are for the kind do not suit each other or its start."""

    @classmethod
    def configured(cls, config: ModelConfig) -> ModelConfig:
        """The configuration of a preset, for the kind."""
        return replace(config, quantizer=cls.kind)

    @classmethod
    @torch.no_grad()
    def of(cls, info: ModelInfo, config: ModelConfig, options: QuantizerOptions = DEFAULTS) -> Self:
        """A model that starts where `info`, of tensors alike, ended; its float prior is recovered from the integers."""
        tensors = as_tensors(read_weights(info))
        model = cls(config, options)
        own = model.state_dict()
        for name in own:
            if name in tensors and not name.startswith("prior."):
                own[name] = tensors[name].float()
        model.load_state_dict(own)
        model.restore(tensors)
        return model

    @classmethod
    def start(cls, source: Source, crops: "Crops", options: TrainOptions, resume: Path | None) -> "PhotoModel":
        """A model at step 0 that begins at another one; its numbers will be those of the checkpoint `resume`, if any.

        Raises TrainingError where the kind cannot begin at one of that kind.
        """
        if source.model is cls:
            return cls.of(source.info, source.config, options.quantizer)
        told = f"model {source.info.name} has quantizer {source.config.quantizer}"
        raise TrainingError(f"{told}: {cls.kind} cannot start from it")

    def fit(self, pictures: Tensor) -> None:
        """What a model from scratch takes from pictures [N, 3, S, S] in [0, 1] once it has its first transforms."""

    def plan(self, begun: int, steps: int) -> None:
        """Prepare for so many steps from step `begun` on, 0 where they are not known."""

    def join(self, ranks: Ranks) -> None:
        """Train on this process's share of every batch, and begin as the model of the first process; all together."""
        parts: list[Any] = [part for part in self.modules() if hasattr(part, "ranks")]
        for part in parts:
            part.ranks = ranks
        ranks.begin_alike(self)

    def freeze(self, what: str) -> None:
        """Keep parts as they are, a key of `freezable`."""
        for name, value in self.named_parameters():
            if name.startswith(self.freezable[what]):
                value.requires_grad_(False)

    @abstractmethod
    def forward(self, x: Tensor, t: Tensor, generator: torch.Generator | None = None) -> Forward:
        """Rate and distortion of x [B, 3, H, W] in [0, 1] at rate coordinates t [B] in [0, 1].

        With a generator the rate is a relaxed one, with gradients; without one that of a file.
        """

    def diagnose(self, pictures: Tensor, device: torch.device) -> dict[str, float]:
        """Figures of the quantizer on validation pictures uint8 [N, 3, S, S], for the log."""
        return {}

    def transform_tensors(self) -> dict[str, Tensor]:
        """The transforms, named as in a model folder."""
        return {name: value for name, value in self.state_dict().items() if name.split(".")[0] in TRANSFORMS}

    def base_tensors(self) -> set[str]:
        """The names of those that are its base's for sure, and are not stored again."""
        return set()

    @abstractmethod
    def coded_tensors(self) -> dict[str, Tensor]:
        """The quantizer and the prior as a file is coded with them, named as in a model folder."""

    @abstractmethod
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Inverse of `coded_tensors`, for what `state_dict` has under other names."""


def uniform(like: Tensor, generator: torch.Generator, ranks: Ranks = ALONE) -> Tensor:
    """Uniform noise on [-1/2, 1/2) of the shape, on the device and in the memory order of `like` [b, ...].

    It is drawn for the whole batch, whatever the number of processes, and is this one's share of that.
    """
    own = torch.empty_like(like)  # [b, ...]
    if ranks.alone:
        return own.uniform_(-0.5, 0.5, generator=generator)
    strides = own[0].numel(), *own.stride()[1:]
    whole = torch.empty_strided((ranks.count * len(own), *own.shape[1:]), strides, device=own.device, dtype=own.dtype)
    whole.uniform_(-0.5, 0.5, generator=generator)  # [B, ...]
    return whole[ranks.own(len(whole))]  # [b, ...]

"""ModelConfig: all numbers that define a model, frozen, stored as models/<name>/config.json.

`ModelConfig.read(path)` and `config.write(path)` are inverse to each other. Unknown or missing fields are errors, but
for those in LATER: a model folder written by a newer version is refused, not half understood.
"""

import dataclasses
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .arguments import shown
from .container import DIGEST_BYTES
from .errors import ModelError, reason

if TYPE_CHECKING:
    from torch import Tensor

Coordinate = TypeVar("Coordinate", float, "Tensor")  # a rate coordinate, or a tensor of them

WEIGHTS, CONFIG = "model.safetensors", "config.json"  # the files of a model

CONTEXT_STEPS = 4  # channel groups x spatial phases, DCVC-DC (Li et al. 2023), section 3.2
PATCH = 16  # pixels a latent position covers, each way
EFFORTS = range(10)  # how much time an encoder may take for fewer bits
DEFAULT_EFFORT = 1
DEFAULT_QUALITY = 50.0
WHOLE_MAX = 1 << 22  # pixels; larger pictures get tiles
TILE = 768  # pixels a side
LATER = {"tune"}  # fields that older models lack; they have the default
LAMBDA_MIN, LAMBDA_MAX = 1e-9, 1e9  # of lambda_min and lambda_max
CONFIG_MAX = 1 << 20  # characters of a config.json
COUNT_MAX = 1 << 12  # of every width and count in it
TUNES = ("psnr", "ms-ssim", "ssimulacra2")  # what a model is trained for and an encoder aims at
HYPER = 4  # latent positions a hyper-latent position covers, each way


@dataclass(frozen=True)
class ModelConfig:
    """The LC family of single-resolution codecs; the defaults are LC-S."""

    name: str = "lattice"
    quantizer: str = "lattice"  # a key of kinds.KINDS, which say what else must be so
    latents: int = 256  # M, channels of y at 1/16
    width8: int = 128  # channels at 1/8
    width16: int = 256  # channels at 1/16
    analysis_blocks: tuple[int, int] = (3, 3)  # blocks at 1/8 and at 1/16
    synthesis_blocks: tuple[int, int] = (4, 4)  # blocks at 1/16 and at 1/8
    group: int = 32  # channels a group of the 3x3 convolutions; 1 = depthwise
    hyper_width: int = 128  # channels of the hyper networks
    hyper_latents: int = 64  # channels of z at 1/64
    features: int = 192  # channels the hyper-decoder hands to the context network, at 1/16
    context_width: int = 192
    context_blocks: int = 2
    lambda_min: float = 0.0009  # weight of 255^2 MSE against bits per pixel, at rate coordinate 0
    lambda_max: float = 0.15  # the same at rate coordinate 1
    octaves: float = 3.7  # the basis is this much finer at rate coordinate 1 than at 0, log2
    reach: tuple[float, float] = (0.0, 1.0)  # rate coordinates of quality 0 and 100; training sees 0 to 1
    groups: tuple[int, ...] = ()  # with codebooks: the latents that each index stands for, their sum is M
    codes: int = 0  # K, values of an index
    books: tuple[int, ...] = ()  # of adaptive: codewords N_i of each codebook, with N_0 / N_i entries, their sum is K
    base: str = ""  # name of the model beside it whose tensors this one adds to; "" for a model of its own
    tune: str = "psnr"  # what it was trained for, one of TUNES
    weights_sha256: str = ""  # of model.safetensors; filled in by the export
    prior_sha256: str = ""  # fingerprint of the integer prior; filled in by the export

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type is float and not _is_finite(value):
                raise ModelError(f"config field {field.name} is {shown(value)}; it must be a finite number")
            if field.type is str and not isinstance(value, str):
                raise ModelError(f"config field {field.name} is {shown(value)}; it must be a string")
            least = 0 if field.name == "codes" else 1
            if field.type is int and not (isinstance(value, int) and least <= value <= COUNT_MAX):
                told = f"it must be an integer from {least} to {COUNT_MAX}"
                raise ModelError(f"config field {field.name} is {shown(value)}; {told}")
        for key, counts in (("groups", self.groups), ("books", self.books)):
            if not all(isinstance(count, int) and 0 < count <= COUNT_MAX for count in counts):
                told = f"it must be a list of positive integers, up to {COUNT_MAX}"
                raise ModelError(f"config field {key} is {shown(list(counts))}; {told}")
        if self.latents % CONTEXT_STEPS:
            raise ModelError(f"config field latents is {self.latents}; it must be a multiple of {CONTEXT_STEPS}")
        for key in ("width8", "width16", "hyper_width"):
            if getattr(self, key) % self.group:
                raise ModelError(f"config field group is {self.group}; it must divide {key}, {getattr(self, key)}")
        for key, pair in (("analysis_blocks", self.analysis_blocks), ("synthesis_blocks", self.synthesis_blocks)):
            if len(pair) != 2 or not all(isinstance(count, int) and 1 <= count <= 64 for count in pair):
                raise ModelError(f"config field {key} is {shown(list(pair))}; it must be two integers from 1 to 64")
        for key, name in (("name", self.name), ("quantizer", self.quantizer), ("base", self.base or "none")):
            if not re.fullmatch(r"[\w-][\w.-]{0,63}", name):
                told = f"config field {key} is {shown(name)}"
                raise ModelError(f"{told}; it must be a plain name: letters, digits, . _ -")
        if self.tune not in TUNES:
            raise ModelError(f"config field tune is {shown(self.tune)}; it must be one of {', '.join(TUNES)}")
        for key, digest in (("weights_sha256", self.weights_sha256), ("prior_sha256", self.prior_sha256)):
            if not re.fullmatch("([0-9a-f]{64})?", digest):
                raise ModelError(f"config field {key} is {shown(digest)}; it must be a SHA-256, 64 hexadecimal digits")
        if not LAMBDA_MIN <= self.lambda_min < self.lambda_max <= LAMBDA_MAX:
            told = f"lambda_min is {shown(self.lambda_min)} and lambda_max {shown(self.lambda_max)}"
            told += ", not a range of weights"
            raise ModelError(f"config: {told}; they must be {LAMBDA_MIN:g} to {LAMBDA_MAX:g}, the second the larger")
        if len(self.reach) != 2 or not all(map(_is_finite, self.reach)):
            raise ModelError(f"config field reach is {shown(list(self.reach))}; it must be two finite numbers")
        low, high = self.reach
        if not (0.01 <= self.octaves < 15.5 and low >= -2 and low + 0.1 <= high <= 2):
            told = f"octaves is {shown(self.octaves)} and reach {shown(low)} to {shown(high)}"
            told += ", not a range of scales; they must be 0.01 to 15.5, and two numbers from -2 to 2 that rise"
            raise ModelError(f"config: {told}")
        widest = max(self.context_width, self.hyper_width)
        sums = max(self.latents * 127 * 127 + self.features * 127 * 255, widest * 127 * 255)
        if sums >= 2**24 - 2**20:
            raise ModelError("config: latents and features are too many for sums of 24 bits; make them fewer")

    def rate_weight(self, t: Coordinate) -> Coordinate:
        """lambda, the weight of 255^2 MSE against bits per pixel, at rate coordinates t: log-linear."""
        weight: Coordinate = self.lambda_min * (self.lambda_max / self.lambda_min) ** t
        return weight

    @property
    def digest(self) -> bytes:
        """What the header of a file calls this model: the first 8 bytes of its weights' SHA-256."""
        return bytes.fromhex(self.weights_sha256)[:DIGEST_BYTES]

    @property
    def analysis_reach(self) -> int:
        """How many positions of y, at most, lie between a value of it and the farthest pixel that it depends on."""
        at8, at16 = self.analysis_blocks
        return at16 + -(-at8 // 2)

    @property
    def synthesis_reach(self) -> int:
        """How many positions of y_hat, at most, lie between a pixel and the farthest value that it depends on."""
        at16, at8 = self.synthesis_blocks
        return at16 + -(-at8 // 2)

    @staticmethod
    def read(path: Path) -> "ModelConfig":
        """Parse a config.json; raises ModelError naming the file and the field that is wrong."""
        try:
            with path.open(encoding="utf-8") as file:
                raw = json.loads(file.read(CONFIG_MAX))
        except OSError as error:
            raise ModelError(f"{path}: cannot be read ({reason(error)}); a model folder holds config.json") from None
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{path}: not valid JSON ({error})") from None
        known = {field.name for field in dataclasses.fields(ModelConfig)}
        if not isinstance(raw, dict) or set(raw) | LATER != known:
            odd = sorted((known - LATER).symmetric_difference(set(raw) - LATER if isinstance(raw, dict) else ()))
            told = f"fields missing or unknown: {', '.join(odd)}" if odd else "not a table of fields"
            raise ModelError(f"{path}: {told}; the model is damaged, or of another version of latticecodec")
        try:
            for key in ("analysis_blocks", "synthesis_blocks", "groups", "books", "reach"):
                if not isinstance(raw[key], list):
                    raise ModelError(f"config field {key} is {shown(raw[key])}, of the wrong type; it must be a list")
                raw[key] = tuple(raw[key])
            return ModelConfig(**raw)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from None
        except (TypeError, ValueError) as error:
            raise ModelError(f"{path}: a field has the wrong type ({error})") from None

    def write(self, path: Path) -> None:
        """Write config.json, one field a line."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n", encoding="utf-8")


def _is_finite(value: object) -> bool:
    """Whether a value of a config.json is a number that a float can hold."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


PRESETS = {
    "lc-s": ModelConfig(),
    "lc-m": ModelConfig(
        latents=320,
        width8=160,
        width16=320,
        analysis_blocks=(4, 4),
        synthesis_blocks=(6, 6),
        hyper_width=160,
        hyper_latents=96,
        features=192,
        context_width=192,
        lambda_max=0.6,
        octaves=4.7,
    ),
    "lc-test": ModelConfig(
        latents=32,
        width8=32,
        width16=32,
        analysis_blocks=(1, 1),
        synthesis_blocks=(1, 1),
        hyper_width=32,
        hyper_latents=8,
        features=32,
        context_width=32,
        context_blocks=1,
    ),
}

"""What to train, and how: the latter is everything that a checkpoint must agree with to be resumed."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import TrainingError
from .quantizer_options import DEFAULTS, QuantizerOptions

OPTIMISERS = ("soap", "adamw")
FREEZES = ("nothing", "analysis", "transforms")  # what of a model may be told not to train; which has what, it says
CROP_MULTIPLE = 64  # a hyper-latent covers 64 x 64 pixels


@dataclass(frozen=True)
class Asked:
    """What a training is of, beside how it trains.

    Attributes:
        quantizer: key of training.kinds.MODELS.
        name: of the model, for its config.json.
        preset: key of config.PRESETS.
        data: folder of training pictures, or of tars and Parquet files of them; None draws synthetic ones.
        val: the same for validation; None holds out every 20th picture of `data`.
        out: folder for logs, checkpoints and the model; must not hold a model yet.
        init_from: name or folder of a model whose weights to start from; its configuration replaces `preset`.
        resume: checkpoint to go on from.
    """

    quantizer: str
    name: str
    preset: str
    data: Path | None
    val: Path | None
    out: Path
    init_from: str | Path | None = None
    resume: Path | None = None


@dataclass(frozen=True)
class TrainOptions:
    """Options of a training, as `lcodec train` takes them. Raises TrainingError for a crop of another size."""

    steps: int = 7000  # 0 where `minutes` are given
    minutes: float = 0.0  # on the clock, in place of steps: the same again only by chance
    batch: int = 8
    crop: int = 256  # pixels a side, a multiple of CROP_MULTIPLE
    drawn: float = 0.1  # share of the crops that hold drawn pages
    learning_rate: float = 2e-3  # the peak
    warm_up: int = 200  # steps
    optimiser: str = OPTIMISERS[0]
    seed: int = 0
    clip: float = 1.0  # norm that gradients are clipped to
    tune: str = "psnr"  # what to train for, one of config.TUNES
    rank: int = 0  # of low-rank additions to a base, which then train in place of the weights; 0: the weights train
    freeze: str = FREEZES[0]  # a key of the model's `freezable`: what of it does not train
    quantizer: QuantizerOptions = DEFAULTS
    validate_every: int = 500  # steps
    checkpoint_minutes: float = 10.0
    init_from: str = ""  # digest of the model that it started from; `run` fills it in
    data: str = ""  # how many pictures train, and a digest of their names and sizes; `run` fills it in

    def __post_init__(self) -> None:
        if self.crop % CROP_MULTIPLE:
            near = CROP_MULTIPLE * max(1, round(self.crop / CROP_MULTIPLE))
            raise TrainingError(f"`crop` {self.crop} is not a multiple of {CROP_MULTIPLE}; try {near}")


UNSETTLED = ("validate_every", "checkpoint_minutes")  # may differ between a checkpoint and the run that resumes it
RENEWED = (
    "steps",
    "minutes",
    "batch",
    "crop",
    "learning_rate",
    "warm_up",
    "init_from",
    "data",
)  # may differ where weights from before the fall go on
LATER = ("init_from", "data")  # older checkpoints do not say

"""What an evaluation is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...config import DEFAULT_EFFORT
from .contenders import DEFAULT_PEERS, QUALITIES


@dataclass(frozen=True)
class Asked:
    """The pictures, the codecs, and what of them.

    Attributes:
        images: an image file, or a folder that is searched recursively; one picture is in memory at a time, and
            two of what a codec makes of it.
        models: names or folders of models.
        device: "auto", "cpu" or "cuda".
        qualities: of the models, 0 to 100; a peer has its own nine.
        efforts: of the models' encoders, 0 to 9; each model is evaluated at each.
        tunes: what to encode for, out of config.TUNES; likewise, see `zoo.tuned`. None: what a model was trained for.
        peers: names out of `PEERS`.
        measures: names of MEASURES that are not measured anyway; each is left out, with a note, where it is not
            installed. They take half a second to a second for a picture of 768x512.
        published: add the published curves, which belong to the 24 pictures of Kodak.
        memory: measure each codec's peak memory on the largest picture, in a process of its own.
    """

    images: Path
    models: Sequence[str | Path]
    device: str = "auto"
    qualities: Sequence[float] = QUALITIES
    efforts: Sequence[int] = (DEFAULT_EFFORT,)
    tunes: Sequence[str] = ()
    peers: Sequence[str] = DEFAULT_PEERS
    measures: Sequence[str] = ()
    published: bool = False
    memory: bool = False

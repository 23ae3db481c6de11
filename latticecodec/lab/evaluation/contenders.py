"""What is evaluated, behind one face: models and peers turn a picture into a file and back.

contenders(models, peers, device, qualities) -> list of Contender
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PIL import Image

from ...codec import EncodeOptions
from ...codec.search import Target, search
from ...config import DEFAULT_EFFORT
from ...errors import ImageError, LcqError, TargetError
from ...zoo import find, load, tuned
from ..depends import sources
from .peers import PEERS, Peer

if TYPE_CHECKING:
    from ...codec import Codec, Encoding

QUALITIES = tuple(12.5 * step for step in range(9))  # of a model, 0 to 100
DEFAULT_PEERS = ("jpeg", "webp", "avif")
DECIDING = ("contenders", "measure", "memory")  # modules of this folder, with all that they import


@dataclass(frozen=True)
class Coded:
    """A file, and of a model the information content that its prior gave the symbols in it."""

    data: bytes
    estimated_bits: float | None = None


class Contender(Protocol):
    """A codec in the way it is used here."""

    name: str  # in tables, different for each
    build: str  # what results belong to, for people
    is_model: bool
    source: str  # the folder of a model, or the name of a peer
    qualities: tuple[float, ...]  # to measure at, rising
    media_type: str  # of its files, where browsers show them, else ""

    @property
    def identity(self) -> str:
        """What results belong to, for programs: other code, libraries, weights or options make another one."""

    @property
    def effort(self) -> int | None:
        """Of a model's encoder; None for a peer."""

    @property
    def tune(self) -> str | None:
        """What a model's encoder aims at; None for a peer."""

    def encode(self, picture: Image.Image, quality: float) -> Coded:
        """The file of a picture (mode L or RGB) at a quality on the codec's own scale."""

    def decode(self, data: bytes) -> Image.Image:
        """The picture in a file, mode RGB."""

    def fit(self, picture: Image.Image, size: int) -> bytes:
        """The best file of at most `size` bytes; the smallest one where none is so small, the best where all are.

        Raises ImageError for a picture that the codec cannot hold.
        """


class ModelContender:
    """A model of ours. Making one raises LcqError where the model does not encode so."""

    is_model = True
    media_type = ""

    def __init__(
        self, source: str, codec: "Codec", name: str, qualities: Sequence[float], effort: int, tune: str
    ) -> None:
        self.source, self.name, self.qualities = source, name, tuple(sorted({float(value) for value in qualities}))
        self._codec, self.effort, self.tune = codec, effort, tune
        digest, how = codec.config.weights_sha256, f"effort {effort}, tune {tune}"
        self.build, self._how = f"weights {digest[:16]}, {how}", how
        for quality in self.qualities:
            codec.check(self._options(quality=quality))

    @property
    def identity(self) -> str:
        """As the protocol says."""
        ours = f"model {self._codec.config}, {self._how}, on {self._codec.model.device}"
        return f"{ours}, {_engines()}, code {_code_digest()}"

    def encode(self, picture: Image.Image, quality: float) -> Coded:
        """The .lcq file at a quality of 0 to 100."""
        encoding = self._encode(picture, quality=quality)
        return Coded(encoding.data, encoding.estimated_bits)

    def decode(self, data: bytes) -> Image.Image:
        """The picture, in RGB."""
        return self._codec.decode(data).convert("RGB")

    def fit(self, picture: Image.Image, size: int) -> bytes:
        """As the protocol says, by the codec's own search."""
        try:
            return self._encode(picture, size=size).data
        except TargetError:
            return self._encode(picture, quality=0).data

    def _encode(self, picture: Image.Image, **target: Any) -> "Encoding":
        """The one place where a model encodes."""
        return self._codec.encode_detailed(picture, self._options(**target))

    def _options(self, **target: Any) -> EncodeOptions:
        """What is asked for; an option of the encoder goes here and into `identity`."""
        return EncodeOptions(effort=self.effort, tune=self.tune, **target)


class PeerContender:
    """A format of Pillow's."""

    is_model = False
    effort = tune = None

    def __init__(self, peer: Peer) -> None:
        self.source = self.name = peer.name
        self._peer = peer
        self.build, self.media_type = f"{peer.build}; {peer.settings}", peer.media_type
        self.qualities = tuple(float(value) for value in peer.qualities)

    @property
    def identity(self) -> str:
        """As the protocol says."""
        return f"{self.name} {self._peer.every_option}, {self._peer.build}, code {_code_digest()}"

    def encode(self, picture: Image.Image, quality: float) -> Coded:
        """The file at a value of the format's scale; raises ImageError for a picture that the format cannot hold."""
        return Coded(self._encode(picture, int(quality)))

    def decode(self, data: bytes) -> Image.Image:
        """The picture, in RGB."""
        return self._peer.decode(data)

    def fit(self, picture: Image.Image, size: int) -> bytes:
        """As the protocol says, over the whole numbers of the format's scale; raises as `encode`."""
        lowest, highest = self._peer.lowest, self._peer.qualities[-1]
        most = math.log(max(1, size))  # no file is so small

        def measure(data: bytes) -> float:
            return math.log(len(data))  # nearer to a line over the scale than the size itself

        def miss(reached: float) -> float:
            return most - reached if reached <= most else math.inf

        target = Target(most, measure, miss, 0.01, f"{size} bytes", "ln bytes", 2)
        try:
            return search(lambda quality: self._encode(picture, quality), lowest, highest, target).trial
        except TargetError:
            return self._encode(picture, lowest)

    def _encode(self, picture: Image.Image, quality: int) -> bytes:
        """The one place where a peer encodes."""
        try:
            return self._peer.encode(picture, quality)
        except (OSError, ValueError) as error:  # as Pillow's encoders report it
            size = f"{picture.width}x{picture.height}"
            raise ImageError(f"{self.name} cannot hold this picture of {size} pixels ({error})") from None


def contenders(
    models: Sequence[str | Path],
    peers: Sequence[str],
    device: str,
    qualities: Sequence[float],
    efforts: Sequence[int] = (DEFAULT_EFFORT,),
    tunes: Sequence[str] = (),
) -> list[Contender]:
    """The models and, of the peers named, those that are available here.

    Raises LcqError for a name it does not know, and where a model does not encode so.

    A model is called what was asked for; by a plain name, what that means: `lattice` is `lattice-2`, unless both are
    there. One model at several efforts or tunes is told apart by these. Without `tunes` each model encodes for what it
    was trained for.
    """
    known = {peer.name: peer for peer in PEERS}
    for name in peers:
        if name not in known:
            raise LcqError(f"unknown peer {name!r}; choose from {', '.join(known)}")
    models = list(dict.fromkeys(models))
    named = [find(model) for model in models]
    names = [info.name if str(model) == info.family else str(model) for model, info in zip(models, named, strict=True)]
    efforts, tunes = sorted(set(efforts)), list(dict.fromkeys(tunes))
    ours = []
    for model, info, name in zip(models, named, names, strict=True):
        label = name if names.count(name) == 1 else str(model)
        for effort, tune in product(efforts, tunes or [info.config.tune]):
            chosen = tuned(model, tune)
            source = str(chosen.folder)
            marks = [f"effort {effort}"] * (len(efforts) > 1) + [tune] * (len(tunes) > 1 or chosen != info)
            codec = load(chosen.folder, device)
            ours.append(ModelContender(source, codec, ", ".join([label, *marks]), qualities, effort, tune))
    return [*ours, *(PeerContender(known[name]) for name in dict.fromkeys(peers) if known[name].available)]


def missing(peers: Sequence[str]) -> dict[str, str]:
    """Of the peers named, those that are not available here, and why."""
    return {peer.name: peer.reason_missing for peer in PEERS if peer.name in peers and not peer.available}


def deciding() -> list[Path]:
    """The Python files that decide bytes, pixels and measures, found by their imports."""
    return sources(*(f"lab.evaluation.{name}" for name in DECIDING))


def _engines() -> str:
    """Versions of what computes the networks."""
    from ...backends.session import VERSION  # a peer's process needs none of it

    return f"{VERSION}, torch {version('torch')}, numpy {version('numpy')}"


@cache
def _code_digest() -> str:
    """SHA-256, in hex, of the code that results depend on."""
    digest = hashlib.sha256()
    for path in deciding():
        digest.update(path.read_bytes())
    return digest.hexdigest()

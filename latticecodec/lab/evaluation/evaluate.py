"""Rate and distortion of models over a folder of pictures, beside the peers; from real files, really decoded."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...config import DEFAULT_EFFORT
from ...errors import ImageError, LcqError, OutputError
from ...metrics import MS_SSIM_SIDE_MIN, SSIMULACRA2_SIDE_MIN
from .butteraugli import INSTALL as INSTALL_BUTTERAUGLI
from .butteraugli import SIDE_MIN as BUTTERAUGLI_SIDE_MIN
from .butteraugli import butteraugli_is_installed
from .contenders import DEFAULT_PEERS, QUALITIES, Contender, contenders, missing
from .curve import Curve, Point
from .measure import Measurement, measurements, taken
from .memory import peak_memory
from .pictures import label, listed, read
from .published import published as published_curves
from .ssimulacra2 import INSTALL, ssimulacra2_is_installed
from .state import State, digest, key

SIDES = {  # what measures are called, and what they need of a picture
    "ms_ssim": ("MS-SSIM", MS_SSIM_SIDE_MIN),
    "ssimulacra2": ("SSIMULACRA2", SSIMULACRA2_SIDE_MIN),
    "butteraugli": ("Butteraugli", BUTTERAUGLI_SIDE_MIN),
}
ESTIMATE_FACTOR, ESTIMATE_BYTES = 1.01, 48  # a file may exceed the prior's estimate by 1 % and a header


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` returns."""

    images: int  # that were measured
    models: tuple[Curve, ...]
    peers: tuple[Curve, ...]
    published: tuple[Curve, ...]
    missing: dict[str, str]  # peers that are not available here, and why
    notes: tuple[str, ...]  # what else was asked for and could not be had, a sentence each
    worst_size_ratio: float | None  # largest bytes / (1.01 estimated_bits / 8 + 48) of all the models' files
    skipped: dict[str, str] = field(default_factory=dict)  # pictures that could not be measured, and why


def evaluate(
    images: Path,
    models: Sequence[str | Path],
    device: str = "auto",
    report_progress: Callable[[int, int], None] | None = None,
    *,
    qualities: Sequence[float] = QUALITIES,
    efforts: Sequence[int] = (DEFAULT_EFFORT,),
    tunes: Sequence[str] = (),
    peers: Sequence[str] = DEFAULT_PEERS,
    with_ssimulacra2: bool = False,
    with_butteraugli: bool = False,
    with_published: bool = False,
    with_memory: bool = False,
    state: State | None = None,
) -> Evaluation:
    """Compress and decode every picture at several qualities, with each model and with each peer.

    Args:
        images: an image file, or a folder that is searched recursively; one picture is in memory at a time, and
            two of what a codec makes of it.
        models: names or folders of models.
        device: "auto", "cpu" or "cuda".
        report_progress: called with (files done, files in all) after each compressed file.
        qualities: of the models, 0 to 100; a peer has its own nine.
        efforts: of the models' encoders, 0 to 9; each model is evaluated at each.
        tunes: what to encode for, out of config.TUNES; likewise, see `zoo.tuned`. None: what a model was trained for.
        peers: names out of `PEERS`.
        with_ssimulacra2: measure it too, where its package is installed; half a second for a picture of 768x512.
        with_butteraugli: measure it too, where its program is installed; a second for such a picture.
        with_published: add the published curves, which belong to the 24 pictures of Kodak.
        with_memory: measure each codec's peak memory on the largest picture, in a process of its own.
        state: results of an earlier run; those that still hold are not made again, new ones are put there.

    A picture that cannot be read, or that one of the codecs cannot code, is left out for all of them. Raises ImageError
    where no picture is left, naming one of them, OutputError where `state` cannot be written, and as `prepared`.
    """
    files, codecs = prepared(images, models, device, qualities=qualities, efforts=efforts, tunes=tunes, peers=peers)
    state = State() if state is None else state
    notes = []
    if with_ssimulacra2 and not ssimulacra2_is_installed():
        with_ssimulacra2 = False
        notes.append(f"SSIMULACRA2: left out, its package is not installed ({INSTALL})")
    if with_butteraugli and not butteraugli_is_installed():
        with_butteraugli = False
        notes.append(f"Butteraugli: left out, its program is not on the PATH ({INSTALL_BUTTERAUGLI})")
    asked = ["ssimulacra2"] * with_ssimulacra2 + ["butteraugli"] * with_butteraugli
    measures = taken(asked)
    tallies = [_Tally(codec) for codec in codecs]
    each = sum(len(codec.qualities) for codec in codecs)
    skipped: dict[str, str] = {}
    largest, largest_area, largest_digest = files[0], 0, ""
    for number, file in enumerate(files):
        results: list[list[Measurement]] = [[] for _ in codecs]
        done = number * each
        try:
            picture = read(file)
            picture_digest = digest(np.asarray(picture))
            for codec, measured in zip(codecs, results, strict=True):
                for result in measurements(codec, picture, picture_digest, measures, state):
                    measured.append(result)
                    done += 1
                    if report_progress is not None:
                        report_progress(done, len(files) * each)
        except OutputError:  # of `state`, and not of the picture
            raise
        except LcqError as error:
            skipped[label(file, images)] = str(error).removeprefix(f"{file}: ")
            continue
        area = picture.width * picture.height
        if area > largest_area:
            largest, largest_area, largest_digest = file, area, picture_digest
        for tally, measured in zip(tallies, results, strict=True):
            for row, result in enumerate(measured):
                tally.add(row, result, area)
    used = len(files) - len(skipped)
    if not used:
        first = f"{files[0]}: {skipped[label(files[0], images)]}"
        raise ImageError(first if len(files) == 1 else f"{first} (and {len(files) - 1} more; no picture is left)")
    curves = {}
    for tally in tallies:
        memory = _memory(tally.codec, largest, largest_digest, device, state) if with_memory else None
        curves[tally.codec] = tally.curve(used, memory)
    for measure in ("ms_ssim", *asked):
        if any(math.isnan(getattr(point, measure)) for curve in curves.values() for point in curve.points):
            name, side = SIDES[measure]
            notes.append(f"{name}: left out, not every picture has the {side} pixels a side that it needs")
    return Evaluation(
        images=used,
        models=tuple(curve for codec, curve in curves.items() if codec.is_model),
        peers=tuple(curve for codec, curve in curves.items() if not codec.is_model),
        published=published_curves() if with_published else (),
        missing=missing(peers),
        notes=tuple(notes),
        worst_size_ratio=max((tally.worst for tally in tallies if tally.codec.is_model), default=None),
        skipped=skipped,
    )


def prepared(
    images: Path,
    models: Sequence[str | Path],
    device: str = "auto",
    *,
    qualities: Sequence[float] = QUALITIES,
    efforts: Sequence[int] = (DEFAULT_EFFORT,),
    tunes: Sequence[str] = (),
    peers: Sequence[str] = DEFAULT_PEERS,
) -> tuple[list[Path], list[Contender]]:
    """The pictures and the codecs of an evaluation, none of them read or run yet. Arguments as of `evaluate`.

    Raises ImageError where there are no pictures; LcqError where a name is unknown, no codec is left, or a model does
    not encode so.
    """
    files = listed(images)
    codecs = contenders(models, peers, device, qualities, efforts, tunes)
    if not codecs:
        raise LcqError("nothing to evaluate: no model was named, and no peer is available")
    return files, codecs


def _memory(codec: Contender, file: Path, picture_digest: str, device: str, state: State) -> int | None:
    """Peak memory in bytes on one picture, from `state` where it is there."""
    quality = codec.qualities[len(codec.qualities) // 2]
    name = key("memory", codec.identity, quality, picture_digest)
    kept = state.get(name)
    if kept is not None:
        return int(kept["memory"])
    memory = peak_memory(codec, quality, file, device)
    if memory is not None:  # else the next run tries again
        state.put(name, {"memory": memory})
    return memory


class _Tally:
    """Adds up one codec's results."""

    def __init__(self, codec: Contender) -> None:
        self.codec = codec
        self.worst = 0.0
        self._sums = np.zeros((len(codec.qualities), 5))  # bpp, PSNR, MS-SSIM, SSIMULACRA2, Butteraugli
        self._seconds = np.zeros((len(codec.qualities), 2))  # encode, decode
        self._area = 0

    def add(self, row: int, result: Measurement, area: int) -> None:
        """Count a file at the quality of this row, of a picture of `area` pixels."""
        values = (result.psnr, result.ms_ssim, result.ssimulacra2, result.butteraugli)
        self._sums[row] += [8 * result.size / area, *(math.nan if value is None else value for value in values)]
        self._seconds[row] += result.encode, result.decode
        self._area += area if row == 0 else 0
        if result.estimated_bits is not None:
            allowed = ESTIMATE_FACTOR * result.estimated_bits / 8 + ESTIMATE_BYTES
            self.worst = max(self.worst, result.size / allowed)

    def curve(self, images: int, memory: int | None) -> Curve:
        """The means, once every picture has been added at every quality."""
        rows = np.hstack([self._sums / images, self._seconds / (self._area / 1e6)]).tolist()
        points = (Point(quality, *row) for quality, row in zip(self.codec.qualities, rows, strict=True))
        return Curve(self.codec.name, self.codec.build, tuple(points), memory)

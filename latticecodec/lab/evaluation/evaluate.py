"""Rate and distortion of models over a folder of pictures, beside the peers; from real files, really decoded."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...errors import ImageError, LcqError, OutputError
from .contenders import Contender, contenders, missing
from .curve import Curve
from .measure import Measurement, builds, measurements
from .measures import Measure, chosen
from .memory import peak_memory
from .options import Asked
from .pictures import label, listed, read
from .published import published
from .state import State, digest, key
from .tally import Tally


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


@dataclass(frozen=True)
class _Sample:
    """A picture that every codec could code, and what came of it."""

    file: Path
    digest: str
    area: int  # pixels
    results: list[list[Measurement]]  # of each codec, at each of its qualities


class _Progress:
    """Tells whoever wants to know how many of all the compressed files are done."""

    def __init__(self, report: Callable[[int, int], None] | None, each: int, files: int) -> None:
        self._report, self._each, self._total = report, each, each * files
        self._done = 0

    def begin(self, number: int) -> None:
        """All pictures before this one are done, or skipped."""
        self._done = number * self._each

    def count(self) -> None:
        """One more."""
        self._done += 1
        if self._report is not None:
            self._report(self._done, self._total)


def evaluate(
    asked: Asked, report_progress: Callable[[int, int], None] | None = None, state: State | None = None
) -> Evaluation:
    """Compress and decode every picture at several qualities, with each model and with each peer.

    Args:
        asked: which pictures, with what.
        report_progress: called with (files done, files in all) after each compressed file.
        state: results of an earlier run; those that still hold are not made again, new ones are put there.

    A picture that cannot be read, or that one of the codecs cannot code, is left out for all of them. Raises ImageError
    where no picture is left, naming one of them, OutputError where `state` cannot be written, and as `prepared`.
    """
    files, codecs, measures = prepared(asked)
    state = State() if state is None else state
    there = [measure for measure in measures if measure.is_installed()]
    tallies = [Tally(codec) for codec in codecs]
    progress = _Progress(report_progress, sum(len(codec.qualities) for codec in codecs), len(files))
    skipped, largest = _measure(files, asked.images, tallies, builds(there), state, progress)
    if largest is None:
        first = f"{files[0]}: {skipped[label(files[0], asked.images)]}"
        raise ImageError(first if len(files) == 1 else f"{first} (and {len(files) - 1} more; no picture is left)")
    used = len(files) - len(skipped)
    curves = {}
    for tally in tallies:
        memory = _memory(tally.codec, largest, asked.device, state) if asked.memory else None
        curves[tally.codec] = tally.curve(used, memory)
    return Evaluation(
        images=used,
        models=tuple(curve for codec, curve in curves.items() if codec.is_model),
        peers=tuple(curve for codec, curve in curves.items() if not codec.is_model),
        published=published() if asked.published else (),
        missing=missing(asked.peers),
        notes=tuple(_notes(measures, there, curves.values())),
        worst_size_ratio=max((tally.worst for tally in tallies if tally.codec.is_model), default=None),
        skipped=skipped,
    )


def prepared(asked: Asked) -> tuple[list[Path], list[Contender], list[Measure]]:
    """The pictures, the codecs and the measures of an evaluation, none of them read or run yet.

    Raises ImageError where there are no pictures; LcqError where a name is unknown, no codec is left, or a model does
    not encode so.
    """
    files = listed(asked.images)
    codecs = contenders(asked.models, asked.peers, asked.device, asked.qualities, asked.efforts, asked.tunes)
    if not codecs:
        raise LcqError("nothing to evaluate: no model was named, and no peer is available")
    return files, codecs, chosen(asked.measures)


def _measure(
    files: Sequence[Path],
    images: Path,
    tallies: Sequence[Tally],
    measures: dict[str, str],
    state: State,
    progress: _Progress,
) -> tuple[dict[str, str], _Sample | None]:
    """Add every picture up; why some could not be measured, and the largest of the others, where there is one."""
    codecs = [tally.codec for tally in tallies]
    skipped: dict[str, str] = {}
    largest = None
    for number, file in enumerate(files):
        progress.begin(number)
        try:
            sample = _sample(file, codecs, measures, state, progress)
        except OutputError:  # of `state`, and not of the picture
            raise
        except LcqError as error:
            skipped[label(file, images)] = str(error).removeprefix(f"{file}: ")
            continue
        for tally, results in zip(tallies, sample.results, strict=True):
            tally.add(results, sample.area)
        if largest is None or sample.area > largest.area:
            largest = sample
    return skipped, largest


def _sample(
    file: Path, codecs: Sequence[Contender], measures: dict[str, str], state: State, progress: _Progress
) -> _Sample:
    """A picture, measured with all codecs; raises LcqError where one of them cannot."""
    picture = read(file)
    picture_digest = digest(np.asarray(picture))
    results: list[list[Measurement]] = []
    for codec in codecs:
        results.append([])
        for result in measurements(codec, picture, picture_digest, measures, state):
            results[-1].append(result)
            progress.count()
    return _Sample(file, picture_digest, picture.width * picture.height, results)


def _memory(codec: Contender, sample: _Sample, device: str, state: State) -> int | None:
    """Peak memory in bytes on one picture, from `state` where it is there."""
    quality = codec.qualities[len(codec.qualities) // 2]
    name = key("memory", codec.identity, quality, sample.digest)
    kept = state.get(name)
    if kept is not None:
        return int(kept["memory"])
    memory = peak_memory(codec, quality, sample.file, device)
    if memory is not None:  # else the next run tries again
        state.put(name, {"memory": memory})
    return memory


def _notes(measures: Sequence[Measure], there: Sequence[Measure], curves: Iterable[Curve]) -> list[str]:
    """Which measures were left out, and why: they are not installed, or not every picture is large enough."""
    points = [point for curve in curves for point in curve.points]
    absent = [f"{measure.title}: left out, {measure.missing}" for measure in measures if measure not in there]
    small = [
        f"{measure.title}: left out, not every picture has the {measure.side} pixels a side that it needs"
        for measure in there
        if any(math.isnan(getattr(point, measure.name)) for point in points)
    ]
    return [*absent, *small]

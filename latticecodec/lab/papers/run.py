"""Train and measure the rows of tables, one after the other, and keep every result as soon as it is there."""

import datetime
import functools
import hashlib
import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ...errors import LcqError, TrainingError
from ..arithmetic import has_fast_bfloat16
from ..depends import sources
from ..hardware import hardware
from . import released
from .datasets import DATASETS, DataSet, Pictures, load, location, missing
from .experiment import FULL, Budget, Experiment, Table
from .figures import Gallery, pictures_beside, stem_of
from .loop import Trained, train
from .measure import measure
from .results import Result, Results, key
from .resume import Resumable, unfinished


@dataclass(frozen=True)
class Job:
    """A row to train on one data set with one seed."""

    table: str
    label: str
    experiment: Experiment
    data: str
    seed: int
    tsne: bool = False  # whether its codebook is shown by t-SNE as well


def plan(tables: Sequence[Table], folder: Path, seeds: Sequence[int]) -> tuple[list[Job], list[str]]:
    """Jobs of tables whose data is in `folder`, every experiment once, and a line for each data set that is missing.

    Jobs of one data set follow each other.
    """
    jobs: dict[tuple[str, Experiment, int], Job] = {}
    lacking: dict[str, str] = {}
    for table in tables:
        for row in table.rows:
            for data in (DATASETS[name] for name in row.data if name in DATASETS):
                if location(data, folder) is None:
                    lacking[data.name] = missing(data, folder)
                    continue
                experiment = row.on(data.name)
                if lack := released.missing(experiment, folder):
                    lacking[lack] = lack
                    continue
                for seed in seeds if not experiment.weights else seeds[:1]:
                    job = Job(table.name, row.label, experiment, data.name, seed, table.tsne)
                    jobs.setdefault((data.name, experiment, seed), job)
    order = list(DATASETS)
    return sorted(jobs.values(), key=lambda job: order.index(job.data)), list(lacking.values())


def run(
    jobs: Sequence[Job],
    folder: Path,
    budget: Budget,
    results: Results,
    device: torch.device,
    advance: Callable[[int, int], None],
    report: Callable[[Job, Result], None],
) -> None:
    """Do the jobs that `results` does not have; a row that fails is a result that says so.

    Args:
        jobs: of `plan`.
        folder: of the data sets.
        budget: how much of the published training.
        results: where results are kept; their pictures go into the folder <its stem>-pictures beside it, and a row that
            was interrupted goes on from <its stem>-unfinished.
        device: where to train.
        advance: called with (done, in all), in thousandths of jobs.
        report: called with every new result.

    Raises:
        TrainingError: data that cannot be read, or `results` has results of other pictures under its name.
        OutputError: results cannot be written.
    """
    for name in dict.fromkeys(job.data for job in jobs):
        _refuse_other(results, DATASETS[name], folder)
    for number, job in enumerate(jobs):
        extent = FULL if job.experiment.weights else budget  # released weights are measured in full
        if results.get(job.experiment, job.data, extent.name, job.seed) is None:
            pictures = load(DATASETS[job.data], folder)

            def moved(done: int, steps: int, number: int = number) -> None:
                advance(1000 * number + 1000 * done // steps, 1000 * len(jobs))

            row = described(job, pictures, extent, device)
            gallery = Gallery(pictures_beside(results.file), stem_of(row), pictures, device, job.tsne)
            origin = f"{row['source']} {row['digest']} {row['networks']}"
            resumable = Resumable(unfinished(results.file) / f"{row['key']}.pt", origin, gallery)
            if job.experiment.weights:
                begin = functools.partial(_given, job, pictures, folder, device, gallery)
            else:
                row_of = (job.experiment, pictures, extent, job.seed)
                begin = functools.partial(train, *row_of, device, moved, gallery.look, resumable)
            result = row | outcome(begin, pictures, extent, device, gallery)
            results.add(result)
            resumable.finish()
            report(job, result)
        advance(1000 * (number + 1), 1000 * len(jobs))


def _refuse_other(results: Results, data: DataSet, folder: Path) -> None:
    """Results are found by the name of their data: those of other pictures would be taken for, or put beside, these."""
    known = {result["digest"] for result in results.known.values() if result["data"] == data.name}
    if known and known != {load(data, folder).digest}:
        what = f"has results of other pictures of {data.name} than {location(data, folder)} has"
        raise TrainingError(f"{results.file}: {what}; name another file for the results of these")


def described(job: Job, pictures: Pictures, budget: Budget, device: torch.device) -> Result:
    """All of a result that is known before the training."""
    return {
        "key": key(job.experiment, job.data, budget.name, job.seed),
        "table": job.table,
        "label": job.label,
        "data": job.data,
        "budget": budget.name,
        "settings": asdict(budget),
        "seed": job.seed,
        "experiment": asdict(job.experiment),
        "digest": pictures.digest,
        "hardware": hardware(device),
        "networks": "bfloat16" if has_fast_bfloat16(device) else "float32",
        "software": f"latticecodec {importlib.metadata.version('latticecodec')}, torch {torch.__version__}",
        "source": source(),
        "date": datetime.date.today().isoformat(),
    }


def _given(job: Job, pictures: Pictures, folder: Path, device: torch.device, gallery: Gallery) -> Trained:
    """Released weights, which nothing is added to."""
    model = released.load(job.experiment, folder, pictures.train.shape[1]).to(device)
    gallery.look(0, model)
    return Trained(model, 0, 0, 0, 0.0, [], [hardware(device)])


def outcome(
    begin: Callable[[], Trained], pictures: Pictures, budget: Budget, device: torch.device, gallery: Gallery
) -> Result:
    """Train and measure a row: the rest of its result."""
    try:
        trained = begin()
        metrics = measure(trained.model, pictures, budget, device)
    except LcqError as error:
        return {"failed": str(error)}
    gallery.write()
    return {
        "hardware": ", then ".join(trained.machines),
        "steps": trained.steps,
        "learning_steps": trained.learning_steps,
        "batch": trained.batch,
        "seconds": None if trained.seconds is None else float(f"{trained.seconds:.5g}"),
        "metrics": metrics,
        "history": [{name: float(f"{value:.5g}") for name, value in entry.items()} for entry in trained.history],
    }


@functools.cache
def source() -> str:
    """The first 16 hex digits of the SHA-256 of the code that trains and measures."""
    digest = hashlib.sha256()
    for file in source_files():
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def source_files() -> list[Path]:
    """The modules that train and measure, with all that they import; pictures as they are read have a digest."""
    return sources(*(f"lab.papers.{name}" for name in ("loop", "measure", "released")), without=["picture"])

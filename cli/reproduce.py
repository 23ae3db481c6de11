"""lcodec reproduce"""

from pathlib import Path
from typing import Any

import click

from latticecodec import LcqError
from latticecodec.extras import require

from . import options, progress
from .messages import note, say, say_json

OPTIONS = ("quick", "full", "share", "data", "out", "page", "seeds", "device")
TAKEN = {"list": ("--data",), "render": ("--out", "--page")}  # what they take of these


@click.command()
@click.argument("tables", metavar="[list | render | TABLE...]", nargs=-1)
@click.option("--quick", is_flag=True, help="A minute a row or less. This is the default.")
@click.option("--full", is_flag=True, help="The published training: hours a row on a CPU.")
@click.option(
    "--share",
    type=options.Number(0, 1, min_open=True, max_open=True),
    metavar="X",
    help="X of the published steps, 0.1 for a tenth, at the published batch.",
)
@click.option(
    "--data",
    type=options.Location(file_okay=False),
    default=Path("data"),
    show_default=True,
    help="Folder of the data sets: NAME.npz or NAME/train and NAME/test with pictures.",
)
@click.option(
    "--out",
    type=options.Location(dir_okay=False),
    default=Path("runs/papers/results.jsonl"),
    show_default=True,
    help="Results are appended to this file, and what it has already is not done again.",
)
@click.option(
    "--page",
    type=options.Location(dir_okay=False),
    help="Where to write the page of all tables and verdicts, in place of one of before.  [default: papers.md beside "
    "--out]",
)
@click.option(
    "--seed",
    "seeds",
    multiple=True,
    type=click.IntRange(0),
    default=[0],
    show_default=True,
    metavar="N",
    help="Seed of a training; may be given several times. A verdict on a difference needs three.",
)
@options.device
@options.as_json
def reproduce(
    tables: tuple[str, ...],
    quick: bool,
    full: bool,
    share: float | None,
    data: Path,
    out: Path,
    page: Path | None,
    seeds: tuple[int, ...],
    device: str,
    as_json: bool,
) -> None:
    """Rerun the tables of the papers behind the quantizers, and see ours beside the paper's numbers.

    Without a TABLE, every row whose data is there: with --quick, and all data but Tiny-ImageNet, some 25 minutes of one
    core. Each row is trained, its indices are coded to real bytes, and the result is appended to --out; a run that was
    interrupted goes on where it stopped, within a row to ten minutes. At the end the page of all tables is written,
    with plots beside it. Pictures of a training, reconstructions and maps of its codebook, go into a folder beside
    --out.

    \b
    list      the tables, the data that they need, and where to get what is missing; takes --data
    render    write the page from the results of --out again; takes --out and --page
    TABLE     a name out of the list; several may be given

    \b
    lcodec reproduce list --data data/
    lcodec reproduce ll-5 --quick --data data/
    lcodec reproduce ll-5 ll-k --full --seed 0 --seed 1 --seed 2 --data data/
    lcodec reproduce render --out runs/papers/results.jsonl --page docs/papers.md

    All but the list needs latticecodec[papers].
    """
    word = next((name for name in TAKEN if name in tables), "")
    if word and len(tables) > 1:
        raise click.UsageError(f"{word} stands alone; give tables in a call of their own")
    if word and (idle := [name for name in options.given(OPTIONS) if name not in TAKEN[word]]):
        raise click.UsageError(f"{word} has no use for {', '.join(idle)}; leave that out")
    if tables == ("list",):
        show_list(data, as_json)
        return
    require("papers", "lcodec reproduce")
    from latticecodec.lab.papers.experiment import FULL, QUICK, part
    from latticecodec.lab.papers.page import page as pages
    from latticecodec.lab.papers.page.plots import pyplot
    from latticecodec.lab.papers.results import Results
    from latticecodec.outputs import check_folder

    if quick + full + (share is not None) > 1:
        raise click.UsageError("--quick, --full and --share exclude each other")
    budget = FULL if full else QUICK if share is None else part(share)
    pyplot()
    page = page or out.with_name("papers.md")
    check_folder(out.parent)
    pages.check_page(page)
    results = Results(out)
    if tables == ("render",):
        if not results.known:
            raise LcqError(f"{out}: there are no results to render; lcodec reproduce TABLE makes some")
        measured = pages.write_page(results, page)
        if as_json:
            say_json({"page": str(page), "measured": measured})
        else:
            say(f"{page}: lines with a measurement: {measured}")
        return
    new = train(tables, budget, data, seeds, device, results)
    pages.write_page(results, page)
    if as_json:
        say_json(new, indent=2)
    else:
        say(f"{len(new)} new results in {out}, the page is {page}")


def train(
    names: tuple[str, ...], budget: Any, folder: Path, seeds: tuple[int, ...], device: str, results: Any
) -> list[dict[str, Any]]:
    """Run the rows of tables; new results, without their histories."""
    import torch

    from latticecodec.devices import resolve_device
    from latticecodec.lab.papers import tables
    from latticecodec.lab.papers.run import Job, plan, run

    jobs, lacking = plan(tables.find(names), folder, sorted(set(seeds)))
    for line in lacking:
        note(f"left out, {line}")
    if not jobs:
        raise LcqError(f"{folder}: has no data set of these tables; see lcodec reproduce list")
    new: list[dict[str, Any]] = []

    def report(job: Job, result: dict[str, Any]) -> None:
        new.append({key: value for key, value in result.items() if key != "history"})
        told = result.get("failed") or "mse {mse:.4g}, {psnr:.2f} dB, used {used:,.0f}".format(**result["metrics"])
        note("")  # leaves the line of the progress bar
        note(f"{job.table}  {job.label}  {job.data}  seed {job.seed}: {told}")

    with progress.bar("reproducing") as advance:
        run(jobs, folder, budget, results, torch.device(resolve_device(device)), advance, report)
    return new


def show_list(folder: Path, as_json: bool) -> None:
    """Tables with their rows and data, and what is missing."""
    from latticecodec.lab.papers import released
    from latticecodec.lab.papers.datasets import DATASETS, UNAVAILABLE, location, missing
    from latticecodec.lab.papers.tables import TABLES

    present = {name: location(data, folder) is not None for name, data in DATASETS.items()}
    listed = [
        {
            "table": table.name,
            "title": table.title,
            "paper": table.paper,
            "rows": [row.label for row in table.rows],
            "data": {
                name: "present" if present.get(name) else UNAVAILABLE.get(name, "missing")
                for name in sorted({name for row in table.rows for name in row.data})
            },
        }
        for table in TABLES.values()
    ]
    lacking = [missing(data, folder) for name, data in DATASETS.items() if not present[name]]
    wanted = (released.missing(row.experiment, folder) for table in TABLES.values() for row in table.rows)
    lacking += sorted({line for line in wanted if line})
    if as_json:
        say_json({"tables": listed, "missing": lacking}, indent=2)
        return
    for table in listed:
        say(f"{table['table']:18} {table['title']} ({table['paper']})")
        for label in table["rows"]:
            say(f"    {label}")
        say("    data: " + ", ".join(f"{name} ({state})" for name, state in table["data"].items()))  # type: ignore[attr-defined]
    for line in lacking:
        say(f"missing, {line}")

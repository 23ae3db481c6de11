"""lcodec bulk"""

import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Collection
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from latticecodec import LcqError
from latticecodec.extras import require

from . import options
from .compress import compress
from .encode_options import encode_options
from .inputs import count_of
from .messages import amount, in_options, note, on_one_line, say, say_json

if TYPE_CHECKING:
    from latticecodec.bulk import Bulk, Summary, Task
    from latticecodec.bulk.task import Action

OWN = {"inputs", "output", "jobs", "skip_existing", "model", "force", "as_json"}  # of `compress`, others here
OF_OUTPUTS = {"form", "per_shard", "keep_times", "force"}  # parameters for what is written
EMPTY = "{}: holds nothing to work on; {}"
DONE = {"compress": "compressed", "decompress": "decompressed", "verify": "verified"}
OF_RAY = (r"ray\.", r"latticecodec\.bulk\.cluster")  # whose warnings are of what Ray does
EVERY = 1.0  # seconds between two looks at how far it is


@click.command()
@click.argument("source")
@click.argument("target", required=False)
@click.option("--decompress", is_flag=True, help="Restore .lcq files, as PNG.")
@click.option("--verify", is_flag=True, help="Check .lcq files; without TARGET.")
@click.option(
    "--to",
    "form",
    type=click.Choice(["files", "tars", "parquet"]),
    default="files",
    show_default=True,
    help="What to write: a file for each picture, where it lay in SOURCE; or tars for WebDataset, or Parquet.",
)
@click.option(
    "--per-shard",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="Loose pictures that go into one tar or Parquet file. A tar becomes one, and so does each row group.",
)
@click.option(
    "--column", default="image", show_default=True, metavar="NAME", help="Column of Parquet files with the pictures."
)
@click.option("--model", metavar="NAME|DIR", help="Model to compress with, or that files were written with.")
@options.max_pixels
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Work on N parts at once, each in a process with one thread, a GPU where there are some, and a model of its "
    "own. [default: as many as there is room for]",
)
@click.option("--address", metavar="HOST:PORT", help="Ray cluster to work on; without it Ray is started here.")
@click.option(
    "--force",
    is_flag=True,
    help="Begin anew, and overwrite what TARGET holds; tars and Parquet files of the run before are removed.",
)
@click.option("--dry-run", is_flag=True, help="List what would be worked on and count it; do nothing.")
@options.as_json
def bulk(
    source: str,
    target: str | None,
    decompress: bool,
    verify: bool,
    form: str,
    per_shard: int,
    column: str,
    model: str | None,
    max_pixels: int,
    workers: int | None,
    address: str | None,
    dry_run: bool,
    device: str,
    keep_times: bool,
    force: bool,
    as_json: bool,
    **encoding: Any,
) -> None:
    """Compress a collection from SOURCE to TARGET, with many processes or machines, by Ray Data.

    SOURCE and TARGET are folders or URLs of them, as s3://bucket/photos, gs://... or hf://...; SOURCE may be a single
    file too. It holds loose pictures, WebDataset tars and Parquet files with a column of pictures, also side by side.

    \b
    lcodec bulk photos/ packed/ -q 30
    lcodec bulk s3://bucket/photos s3://bucket/packed --to tars --address head:6379
    lcodec bulk packed/ --verify

    Pictures that fail do not stop the others: each is a line here and one of errors.jsonl in TARGET. A run that was
    stopped goes on with the same command: what is done is not done again. --force begins anew. What is known of a run
    lies in TARGET/.lcodec-bulk, and may be deleted when it is over.
    """
    require("bulk", "lcodec bulk")
    from latticecodec.bulk import Bulk

    for name, text, what in (
        ("SOURCE", source, "a folder, or a URL of one"),
        ("TARGET", target, "a folder, or a URL of one"),
        ("--address", address, "HOST:PORT"),
    ):
        if text == "":
            raise LcqError(f"{name} is empty; name {what}")
    if decompress and verify:
        raise click.UsageError("--decompress and --verify exclude each other")
    if verify and target is not None:
        raise click.UsageError("--verify writes nothing; leave out TARGET")
    if not verify and target is None and not dry_run:
        raise click.UsageError("name a TARGET to write to, or list what there is with --dry-run")
    if form == "files" and not verify and options.given({"per_shard"}):
        raise click.UsageError("--per-shard is for tars and Parquet; give --to as well, or leave it out")
    action: Action = "decompress" if decompress else "verify" if verify else "compress"
    task = _task(action, model, max_pixels, device, encoding)
    asked = Bulk(task, source, target, form, per_shard, force, column, keep_times, workers, address)  # type: ignore[arg-type]
    if dry_run:
        _list(asked, as_json)
    else:
        _run(asked, as_json)


bulk.params += [parameter for parameter in compress.params if parameter.name not in OWN]


def _task(
    action: "Action",
    model: str | None,
    max_pixels: int,
    device: str,
    encoding: dict[str, Any],
) -> "Task":
    """What is done with each picture."""
    from latticecodec.bulk import Task

    if action == "verify":
        _refuse(OF_OUTPUTS, "is for what is written; leave it out with --verify")
    if action != "compress":
        _refuse(encoding, f"is for compressing; leave it out with --{action}")
        return Task(action, model=model, max_pixels=max_pixels, device=device)
    strip, keep_suffix = encoding.pop("strip"), encoding.pop("keep_suffix")
    asked = encode_options(model, **encoding)
    return Task("compress", asked, model, strip=strip, keep_suffix=keep_suffix, max_pixels=max_pixels, device=device)


def _refuse(names: Collection[str], told: str) -> None:
    """Raise UsageError where one of these parameters was given."""
    for option in options.given(names):
        raise click.UsageError(f"{option} {told}")


def _list(asked: "Bulk", as_json: bool) -> None:
    """Print what there is to do: names of files, and how many pictures where that is known."""
    from latticecodec.bulk import Failure

    left_out: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for found in asked.listed(left_out):
        if isinstance(found, Failure):
            counts["failed"] += 1
            note(f"Error: {in_options(found.error)}")
            continue
        counts[found.kind] += len(found.files) if found.kind == "files" else 1
        counts["rows"] += found.rows or 0
        if not as_json:
            for name in found.files:
                say(on_one_line(name if found.kind != "parquet" else f"{name} group {found.group}: {found.rows:,}"))
    facts = {
        "pictures": counts["files"],
        "tars": counts["tar"],
        "parquet_groups": counts["parquet"],
        "parquet_rows": counts["rows"],
        "failed": counts["failed"],
        "left_out": dict(left_out),
    }
    if as_json:
        say_json(facts, indent=2)
    told = [amount(counts["files"], "picture"), amount(counts["tar"], "tar")]
    told.append(f"{amount(counts['rows'], 'row')} of Parquet in {amount(counts['parquet'], 'group')}")
    if left_out:
        told.append(count_of(left_out))
    if counts["failed"]:
        raise LcqError(f"{counts['failed']:,} cannot be worked on; {', '.join(told)}")
    if not counts.total():
        raise LcqError(EMPTY.format(asked.source, ", ".join(told)))
    note(", ".join(told))


def _run(asked: "Bulk", as_json: bool) -> None:
    """Do it, and tell how far it is, what failed, and what was done in all."""
    from latticecodec.bulk import Summary

    summary, looked = Summary(), 0.0
    shown = sys.stderr.isatty()
    for module in OF_RAY:
        warnings.filterwarnings("ignore", module=module)  # until the command ends
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # where Ray tells of workers that end
        for record in asked.results(summary):
            for failure in record.failures:
                note(f"Error: {in_options(failure.error)}")
            for line in record.notes if not record.before else ():
                note(line)
            if shown and time.monotonic() - looked > EVERY:
                looked = time.monotonic()
                click.echo(f"\r{_told(summary)}\x1b[K", err=True, nl=False)
    if shown:
        click.echo("\r\x1b[K", err=True, nl=False)
    done = f"{summary.done:,} {DONE[asked.task.action]}"
    counts = [done, *([f"{summary.before:,} done before"] if summary.before else [])]
    if summary.left_out:
        counts.append(count_of(summary.left_out))
    if as_json:
        say_json(summary.facts(), indent=2)
    else:
        say(_told(summary))
    if summary.failed:
        where = f", listed in {asked.target.rstrip('/')}/errors.jsonl" if asked.target else ""
        raise LcqError(f"{summary.failed:,} failed{where}; {', '.join(counts)}")
    if not summary.done + summary.before:
        raise LcqError(EMPTY.format(asked.source, "see lcodec bulk --dry-run"))
    note(", ".join(counts))


def _told(summary: "Summary") -> str:
    """How far a run is."""
    facts = summary.facts()
    return (
        f"{summary.done:,} done, {summary.failed:,} failed, {facts['files_per_second']:.2f} files/s, "
        f"{facts['megapixels_per_second']:.2f} Mpx/s, {summary.bytes_in:,} bytes to {summary.bytes_out:,}, "
        f"{amount(summary.workers, 'worker')}"
    )

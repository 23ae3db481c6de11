"""docs/papers.md: a line for every table row and data set, and the plots."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ....errors import OutputError
from ....outputs import check_apart, check_folder, check_own, write_text
from ..datasets import DATASETS
from ..experiment import Row, Table
from ..figures import pictures_beside
from ..results import Result, Results
from ..tables import TABLES
from ..verdicts.claims import CHECKS, CLAIMS, CentralClaim
from ..verdicts.equal_rate import RATE_CLAIMS
from ..verdicts.rows import number, spread, verdict
from .plots import all_plots, may_be_plot, without_map

HEAD = """# The papers, rerun

Every table of the papers behind the quantizers, beside what this code measures. Written by `lcodec reproduce render`;
`lcodec reproduce list` names the tables, `lcodec reproduce ll-5 --full --data DIR --seed 0 --seed 1 --seed 2` repeats
one.

- **paper**: its numbers. *printed* ones stand there for comparison alone; the others are in the unit of ours. *none* is
  a row that the paper does not have.
- **ours**: mean and standard deviation over seeds. *mse* in the range of pixels that the network sees, whose width is 1
  (LL-VQ-VAE and "Balance", which state none) or 2 (rotation), decoded from indices alone, *mse_forward* from the values
  of the network's forward pass; PSNR in dB of all test pictures, clamped to the range of pixels, as *mse* is not; *bpp*
  from the bytes of a real stream that decodes to the same indices, *memoryless* of one that looks at no neighbours;
  *used* and *perplexity* count distinct embeddings by index, over training pictures: quick 256, full 60,000, a
  percentage 10,000, or all where there are fewer; *used_moving* counts them over the same as vectors while codewords
  move, *used_epoch* is that for the batches of the paper's epoch; *live_dimensions* of a lattice vary; what ends in
  *_train* is of training pictures; *time* is that of training on one picture, as a ratio to the first row of the table
  with the same data, budget, hardware and type, and left out where machines took turns.
- **rate**: raw pixels are 8 bpp, of colour 24. The prior is static, counted on training pictures: the class of an
  embedding, one of 32, by those of its left and upper neighbours, then the embedding within its class. Embeddings
  beyond the first 65,536 are coded coordinate by coordinate, as a lattice is whose embeddings hardly come twice.
- **K** or **N**: codewords of a codebook; **D**: dimensions of one; **gamma**: weight of the lattice's size term;
  **range**: the basis begins as U(-range, range); **alpha**: weight of the commitment loss; **beta**: of the
  quantization terms in "Balance", of the commitment loss in the tables of rotation.
- **budget**: quick is a minute a row or less, a small part of the published training and too short to judge by; full is
  the published training; a percentage is that share of the published steps at the published batch. Shorter ones squeeze
  the schedule: a learning rate that is published as 0 after one of five epochs is 0 after a fifth of them all. Networks
  train in bfloat16 where the hardware has it, quantizers and errors in float32; in which, a result says. Seeds *of 2
  sources* were trained by two versions of this code, whose digests are in the results; their mean is over both.
- **verdict**: *reproduced*, *direction only*, *refuted* or *not possible*, and why; *the opposite* or *not so* in place
  of *refuted* for rows and checks that no paper has. A difference is clear at 2.78 standard errors of three and three
  seeds (5 %, two-sided). Numbers are reproduced within 10 %, *direction only* within a factor of two, and beyond it
  refuted where the prediction interval of three seeds excludes one (5 %, two-sided). A share of the training or fewer
  seeds give *direction only* at best, and *not possible yet* where they do not show it, a quick training *not possible
  yet* whatever it shows; released weights need no seeds. Adaptive codebooks of which one alone has 99 % of the
  positions or more have no choice: in a share of the training *not possible yet*, in full *direction only* at best.
  Where the longest budget of a difference has fewer than three seeds, a shorter share that has them is told too. At
  equal rate a difference is clear above 0.1 dB, whatever the spread of the seeds, and up to there none; all rows of a
  budget are in it. What rests on several rows is found seed by seed, with the numbers of one: a quantity is clear at
  4.30 standard errors of three seeds (5 %, two-sided), an order is judged by rank correlation (5 %, one-sided), signs
  by the chance of as many, and these and what remains want all seeds to agree, which is agreement and no test; an
  optimum inside comes by chance in six of eight orders, in three seeds in 42 %.
"""
ALWAYS = ("mse", "mse_forward", "psnr", "bpp", "memoryless_bpp", "used", "perplexity", "parameters")
ALIKE = ("hardware", "networks")  # of results whose times are compared; earlier ones lack the second
SOMETIMES = ("used_moving", "live_dimensions")  # where a row has them
PLANES = """
Every measured row, whatever its rate. Hollow points are of short trainings; of the rows that no other one beats, those
that lie apart are named.
"""
UNMAPPED = "The codebook of {} on {} has no map here: the pictures of its training are not beside its results."
STRIPS = """
Reconstructions at the quarters of each training, and maps of all codebooks, are written by `lcodec reproduce` into a
folder beside its results. Reconstructions are pictures of the data sets, and not shown here.
"""


def write_page(results: Results, page: Path) -> int:
    """Write the page, and its plots into the folder of its stem beside it; returns how many lines are measured."""
    text, measured = page_text(results, page, all_plots(results, list(TABLES.values()), page.with_suffix("")))
    page.parent.mkdir(parents=True, exist_ok=True)
    write_text(page, text)
    return measured


def check_page(page: Path, results: Path) -> None:
    """Raise OutputError where the page cannot be written, or other things are in its place or its plots'.

    `results` is the file of the results.
    """
    check_apart([(results, "the file of results"), (page, "the page")])
    check_folder(page.parent)
    folder = page.with_suffix("")
    if folder == page:
        raise OutputError(f"{page}: has no suffix, and its plots go into a folder of that name; name it as {page}.md")
    check_own(page, HEAD.partition("\n")[0], "a page of lcodec reproduce")
    if not page.exists() and any(not may_be_plot(file.name) for file in folder.glob("*.png")):
        raise OutputError(f"{folder}: holds pictures, and no page beside it has them; name another page than {page}")


def page_text(results: Results, page: Path, plots: Mapping[str, Sequence[Path]]) -> tuple[str, int]:
    """The text of the page with plots of each table by its name, "" those of rate and distortion; measured lines."""
    parts, measured, lines = [], 0, 0
    for table in TABLES.values():
        rows = [(row, data) for row in table.rows for data in row.data]
        lines += len(rows)
        measured += sum(bool(results.of(row.on(data), data)[1]) for row, data in rows)
        parts.append(_table(table, rows, results))
        parts += [f"![{_caption(plot)}]({page.stem}/{plot.name})" for plot in plots[table.name]]
        parts += [UNMAPPED.format(*row) for row in without_map(table, results, page.with_suffix(""))]
    claims = _claims("Central claims", "What the papers say, on the data that is to be had.", CLAIMS, results)
    asked = _claims("Checks", "What readers of the papers ask for, and claims in settings of others.", CHECKS, results)
    rated = _claims("At equal rate", "What none of them asks: the same over rates in common.", RATE_CLAIMS, results)
    number_of_claims = len(CLAIMS) + len(CHECKS) + len(RATE_CLAIMS)
    count = f"{lines} lines, {measured} of them measured, and {number_of_claims} claims."
    planes = [f"![{plot.stem}]({page.stem}/{plot.name})" for plot in plots[""]]
    if planes:
        planes = ["## Rate and distortion", PLANES.strip(), "\n".join(planes)]
    text = "\n\n".join([HEAD.rstrip("\n"), count, claims, asked, rated, *planes, *parts, *_strips(results, page)])
    return text.rstrip("\n") + "\n", measured


def _claims(title: str, what: str, claims: Sequence[CentralClaim], results: Results) -> str:
    lines = [f"## {title}", "", what, "", "| claim | data | verdict |", "|---|---|---|"]
    for claim in claims:
        remark = DATASETS[claim.data].remark
        told = claim.verdict(results, claim.data) + (f"; {remark}" if remark else "")
        lines.append(f"| {claim.text} | {claim.data} | {told} |")
    return "\n".join(lines)


def _caption(plot: Path) -> str:
    if plot.stem.endswith("-codebook"):
        return f"{plot.stem}: the codebook on its two principal axes, at the quarters of the training"
    if plot.stem.endswith("-tsne"):
        return f"{plot.stem}: the codebook by t-SNE at the beginning, the middle and the end of the training"
    if plot.stem.endswith("-choices"):
        return f"{plot.stem}: how often adaptive codebooks are chosen over the training"
    return f"{plot.stem}: distinct embeddings, gradient gap and quantization loss over the training"


def _strips(results: Results, page: Path) -> list[str]:
    """Reconstructions, where the page lies beside the results; they are pictures of the data sets."""
    folder = pictures_beside(results.file)
    if page.parent.resolve() != folder.parent.resolve() or not folder.is_dir():
        return [STRIPS.strip()]
    files = sorted(folder.glob("*-reconstructions.png"))
    return ["## Reconstructions", "Originals on top, then at the quarters of the training."] + [
        f"![{file.stem}]({folder.name}/{file.name})" for file in files
    ]


def _table(table: Table, rows: Sequence[tuple[Row, str]], results: Results) -> str:
    lines = [f"## {table.name}: {table.title}", "", f"{table.paper}."]
    lines += ["", *(f"- {remark}" for remark in table.remarks)] if table.remarks else []
    lines += ["", "| row | data | paper | ours | budget | verdict |", "|---|---|---|---|---|---|"]
    paces: dict[tuple[str, ...], float] = {}
    for row, data in rows:
        budget, found = results.of(row.on(data), data)
        trained = [result for result in found if "metrics" in result]
        like = (data, budget, *(str(result.get(name)) for result in _timed(trained)[:1] for name in ALIKE))
        cells = (
            row.label,
            data,
            paper_cell(row, data),
            ours_cell(row, data, trained, paces.setdefault(like, _pace(trained))),
            budget_cell(row, budget, trained),
            verdict(table, row, data, results),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def paper_cell(row: Row, data: str) -> str:
    """The paper's numbers."""
    numbers = [f"{metric} {exact(value)}" for (name, metric), value in row.published.items() if name == data]
    return ", ".join(numbers) or "none"


def exact(value: float) -> str:
    """A number as a paper prints it, of five digits at most; what is calculated from one is shortened as ours are."""
    if float(f"{value:.5g}") != value or abs(value) >= 1000:
        return number(value)
    return f"{value:.10f}".rstrip("0").rstrip(".")


def ours_cell(row: Row, data: str, found: Sequence[Result], pace: float) -> str:
    """Our numbers over seeds; `pace` is the seconds a picture of the row that time is compared with."""
    if not found:
        return "not measured"
    parts = []
    printed = [metric for name, metric in row.published if name == data and metric not in ALWAYS]
    values = {name: spread(found, name) for name in (*ALWAYS, *dict.fromkeys((*printed, *SOMETIMES)))}
    parts.append(f"mse {values['mse']}")
    if str(values["mse_forward"]) != str(values["mse"]):
        parts.append(f"mse_forward {values['mse_forward']}")
    rate = "with coordinates that no coder holds"
    if values["bpp"]:
        rate = f"at {values['bpp']} bpp ({values['memoryless_bpp']} memoryless)"
    parts += [f"{values['psnr']} dB {rate}", f"used {values['used']}", f"perplexity {values['perplexity']}"]
    parts += [f"{name} {value}" for name, value in values.items() if value and name not in ALWAYS]
    parts.append(f"{number(found[0]['metrics']['parameters'])} parameters")
    return ", ".join(parts) + (f", time {_pace(found) / pace:.2f}" if pace else "")


def budget_cell(row: Row, budget: str, found: Sequence[Result]) -> str:
    """Budget, steps and batch, seeds, and of how many sources these are where it is not one."""
    if not found:
        return "none"
    if row.experiment.weights:
        return "released weights"
    sources = len({result["source"] for result in found})
    seeds = f"{len(found)} seeds" if len(found) > 1 else "1 seed"
    seeds += f" of {sources} sources" if sources > 1 else ""
    return f"{budget}: {found[0]['steps']:,} steps of {found[0]['batch']}, {seeds}"


def _timed(found: Sequence[Result]) -> list[Result]:
    """Those that one machine trained, on the hardware of the first of them and as it."""
    timed = [result for result in found if result["seconds"] is not None]
    return [result for result in timed if all(result.get(name) == timed[0].get(name) for name in ALIKE)]


def _pace(found: Sequence[Result]) -> float:
    """Seconds for a picture in training; 0 where nothing was trained that has a time."""
    timed = _timed(found)
    pictures = sum(result["learning_steps"] * result["batch"] for result in timed)
    return float(sum(result["seconds"] for result in timed) / pictures) if pictures else 0.0

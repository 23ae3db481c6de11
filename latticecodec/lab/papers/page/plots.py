"""Plots from results: rate and distortion of every data set, and the course of training of every table."""

import shutil
from pathlib import Path
from typing import Any

from ....errors import TrainingError
from ..datasets import DATASETS
from ..experiment import Table
from ..figures import pictures_beside, stem_of
from ..results import Result, Results
from ..verdicts.equal_rate import FAMILIES, frontier, longest, points
from ..verdicts.rows import short

PANELS = (
    ("used", "distinct embeddings of 32 pictures"),
    ("gradient_gap", "gradient gap"),
    ("quantization_error", "quantization loss"),
)
LINES_MAX = 16  # in one plot
NAMED = 1.2  # rate of a named point beside the one before, at least
MAPPED = (  # rows whose codebook is shown
    ("ll-5", "VQ-VAE, constant rate"),
    ("ll-rate", "VQ-VAE, k-means, K = 512"),
    ("rotation-ste", "straight-through, beta 0.25"),
    ("rotation-ste", "rotation, beta 0.25"),
    ("rotation-2", "Large, K = 1024"),
    ("rotation-3", "beta 0.25"),
)


def pyplot() -> Any:
    """matplotlib without a screen.

    Raises:
        TrainingError: it is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise TrainingError("the plots need matplotlib: pip install 'latticecodec[papers]'") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def rate_distortion(results: Results, data: str, file: Path) -> bool:
    """Write the measured rows of a data set in the plane of bits per pixel and PSNR; False where there are none.

    Hollow points are of short trainings; those that no other row beats are named.
    """
    known = longest(points(results, data))
    if not known:
        return False
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
    for name, belongs in FAMILIES:
        family = [point for point in known if belongs(point.experiment)]
        colour = None
        for hollow in (False, True):
            some = [point for point in family if bool(short(point.budget)) == hollow]
            if some:
                at = [p.bpp for p in some], [p.psnr for p in some]
                face = {"markerfacecolor": "none"} if hollow else {}
                label = f"{name}, short training" if hollow else name
                colour = axes.plot(*at, "o", label=label, alpha=0.8, color=colour, **face)[0].get_color()
    last = 0.0
    for point in frontier(known):
        if point.bpp > NAMED * last:
            axes.annotate(point.label, (point.bpp, point.psnr), (3, 3), textcoords="offset points", fontsize=6)
            last = point.bpp
    axes.set_xscale("log")
    axes.set(xlabel="bits per pixel, real bytes of indices", ylabel="PSNR, dB", title=data)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    _save(plt, figure, file)
    return True


def course(table: Table, data: str, results: Results, file: Path) -> bool:
    """Write codebook use, gradient gap and quantization loss over the steps; False where nothing is measured."""
    runs: list[tuple[str, Result]] = []
    for row in table.rows:
        found = [result for result in results.of(row.on(data), data)[1] if result.get("history")]
        runs += [(row.label, found[0])] if found else []
    if not runs:
        return False
    plt = pyplot()
    figure, panels = plt.subplots(1, len(PANELS), figsize=(13, 4), layout="constrained")
    for axes, (metric, title) in zip(panels, PANELS, strict=True):
        axes.set_prop_cycle(color=plt.colormaps["tab20"].colors)
        for label, result in runs[:LINES_MAX]:
            history = result["history"]
            axes.plot([entry["step"] for entry in history], [entry[metric] for entry in history], label=label)
        axes.set(xlabel="step", title=title)
        axes.set_xscale("symlog", linthresh=10)  # trainings of very different lengths stand side by side
        axes.set_yscale("log")
        axes.grid(alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle(f"{table.title}, {data}", fontsize=10)
    _save(plt, figure, file)
    return True


def choices(table: Table, data: str, results: Results, file: Path) -> bool:
    """Write which codebooks the first row of adaptive ones chooses over its training; False where none is measured."""
    for row in table.rows:
        found = [result for result in results.of(row.on(data), data)[1] if result.get("history")]
        names = [name for name in found[0]["history"][0] if name.startswith("share_")] if found else []
        if names:
            break
    else:
        return False
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 4), layout="constrained")
    history = found[0]["history"]
    for name in names:
        steps, shares = [entry["step"] for entry in history], [entry[name] for entry in history]
        axes.plot(steps, shares, label=f"N = {int(name.removeprefix('share_')):,}")
    axes.set(xlabel="step", ylabel="share of the positions", title=f"{row.label}, {data}", ylim=(0, 1))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    _save(plt, figure, file)
    return True


def _save(plt: Any, figure: Any, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=80, metadata={"Software": None})
    plt.close(figure)


def all_plots(results: Results, tables: list[Table], folder: Path) -> dict[str, list[Path]]:
    """Write every plot that there are results for: those of each table by its name, "" those of rate and distortion."""
    written: dict[str, list[Path]] = {"": []}
    for data in DATASETS:
        file = folder / f"rate-distortion-{data}.png"
        written[""] += [file] if rate_distortion(results, data, file) else []
    for table in tables:
        written[table.name] = codebooks(table, results, folder)
        for data in sorted({name for row in table.rows for name in row.data}):
            file = folder / f"{table.name}-{data}.png"
            written[table.name] += [file] if course(table, data, results, file) else []
            file = folder / f"{table.name}-{data}-choices.png"
            written[table.name] += [file] if choices(table, data, results, file) else []
    return written


def codebooks(table: Table, results: Results, folder: Path) -> list[Path]:
    """Maps of the codebooks of MAPPED rows in `folder`, one seed each, copied from where their trainings left them."""
    shown = []
    for _, _, found in _mapped(table, results):
        for names in map(_maps, found):
            for name in names:
                source = pictures_beside(results.file) / name
                if source.exists():
                    folder.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, folder / name)
            if here := [folder / name for name in names if (folder / name).exists()]:
                shown += here
                break
    return shown


def without_map(table: Table, results: Results, folder: Path) -> list[tuple[str, str]]:
    """(label, data) of the measured rows of MAPPED of which `codebooks` has left no map in `folder`."""
    return [
        (label, data)
        for label, data, found in _mapped(table, results)
        if found and not any((folder / name).exists() for result in found for name in _maps(result))
    ]


def _mapped(table: Table, results: Results) -> list[tuple[str, str, list[Result]]]:
    """(label, data, results at the longest budget) of the rows of a table whose codebook is shown."""
    rows = [table.row(label) for name, label in MAPPED if name == table.name]
    return [(row.label, data, results.of(row.on(data), data)[1]) for row in rows for data in row.data]


def _maps(result: Result) -> list[str]:
    return [f"{stem_of(result)}-{kind}.png" for kind in ("codebook", "tsne")]

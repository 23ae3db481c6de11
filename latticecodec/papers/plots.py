"""Plots from results: rate and distortion of every data set, and the course of training of every table."""

from pathlib import Path
from typing import Any

from ..errors import TrainingError
from .claims import FAMILIES, points
from .datasets import DATASETS
from .experiment import Table
from .results import Result, Results

PANELS = (
    ("used", "distinct embeddings"),
    ("gradient_gap", "gradient gap"),
    ("quantization_error", "quantization loss"),
)
LINES_MAX = 12  # in one plot


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
    """Write the measured rows of a data set in the plane of bits per pixel and PSNR; False where there are none."""
    known = points(results, data)
    if not known:
        return False
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
    for name, belongs in FAMILIES:
        family = [point for point in known if belongs(point.experiment)]
        if family:
            axes.plot([p.bpp for p in family], [p.psnr for p in family], "o", label=name, alpha=0.8)
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
        found = [result for result in results.of(row.experiment, data)[1] if "history" in result]
        runs += [(row.label, found[0])] if found else []
    if not runs:
        return False
    plt = pyplot()
    figure, panels = plt.subplots(1, len(PANELS), figsize=(13, 4), layout="constrained")
    for axes, (metric, title) in zip(panels, PANELS, strict=True):
        for label, result in runs[:LINES_MAX]:
            history = result["history"]
            axes.plot([entry["step"] for entry in history], [entry[metric] for entry in history], label=label)
        axes.set(xlabel="step", title=title)
        axes.set_yscale("log")
        axes.grid(alpha=0.3)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle(f"{table.title}, {data}", fontsize=10)
    _save(plt, figure, file)
    return True


def _save(plt: Any, figure: Any, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=80, metadata={"Software": None})
    plt.close(figure)


def all_plots(results: Results, tables: list[Table], folder: Path) -> list[Path]:
    """Write every plot that there are results for."""
    written = []
    for data in DATASETS:
        file = folder / f"rate-distortion-{data}.png"
        written += [file] if rate_distortion(results, data, file) else []
    for table in tables:
        for data in sorted({name for row in table.rows for name in row.data}):
            file = folder / f"{table.name}-{data}.png"
            written += [file] if course(table, data, results, file) else []
    return written

"""What `lcodec eval` prints in a terminal."""

from typing import TYPE_CHECKING

from .messages import amount, say

if TYPE_CHECKING:
    from latticecodec.lab.evaluation import Evaluation

MIB = 2**20


def show(evaluation: "Evaluation") -> None:
    """Print the points, the BD-rates of the models where there are any, speed and memory, and what they are of."""
    from latticecodec.lab.evaluation import ESTIMATE_BYTES, ESTIMATE_FACTOR

    without = f", {len(evaluation.skipped)} left out" if evaluation.skipped else ""
    say(f"{amount(evaluation.images, 'image')}{without}\n")
    _points(evaluation)
    _rates(evaluation)
    _costs(evaluation)
    for curve in (*evaluation.models, *evaluation.peers, *evaluation.published):
        say(f"{curve.codec}: {curve.build}")
    for name, reason in evaluation.missing.items():
        say(f"{name}: left out, {reason}")
    for note in evaluation.notes:
        say(note)
    for picture, reason in evaluation.skipped.items():
        say(f"{picture}: left out, {reason}")
    if evaluation.worst_size_ratio is not None:
        allowed = f"{ESTIMATE_FACTOR:g} x estimate + {ESTIMATE_BYTES} bytes"
        say(f"worst of file size / ({allowed}): {evaluation.worst_size_ratio:.4f}")


def _width(evaluation: "Evaluation") -> int:
    """Of the columns with codecs, in characters."""
    return max([16, *(len(curve.codec) for curve in (*evaluation.models, *evaluation.peers, *evaluation.published))])


def _points(evaluation: "Evaluation") -> None:
    from latticecodec.lab.evaluation import optional_measures, rows

    table = rows(evaluation)
    extra = [one for one in optional_measures() if any(row[one.name] is not None for row in table)]
    last = "".join(f" {one.title:>11}" for one in extra)
    wide = _width(evaluation)
    say(f"{'codec':{wide}} {'quality':>7} {'bpp':>8} {'PSNR, dB':>9} {'MS-SSIM':>8}{last}")
    for row in table:
        similarity = "-" if row["ms_ssim"] is None else f"{row['ms_ssim']:.5f}"
        cells = ["-" if row[one.name] is None else f"{row[one.name]:.{one.digits}f}" for one in extra]
        last = "".join(f" {cell:>11}" for cell in cells)
        say(f"{row['codec']:{wide}} {row['quality']:7g} {row['bpp']:8.4f} {row['psnr']:9.3f} {similarity:>8}{last}")


def _rates(evaluation: "Evaluation") -> None:
    from latticecodec.lab.evaluation import bd_rates, optional_measures

    table = {model.codec: bd_rates(evaluation)[model.codec] for model in evaluation.models}
    every = [rates for row in table.values() for rates in row.values()]
    if not every:
        return
    extra = [one for one in optional_measures() if any(rates[one.name] is not None for rates in every)]
    last = "".join(f" {one.title:>11}" for one in extra)
    wide = _width(evaluation)
    say(f"\n{'BD-rate of':{wide}} {'against':{wide}} {'PSNR':>9} {'MS-SSIM':>9}{last}")
    apart = False
    curves = {curve.codec: curve for curve in (*evaluation.models, *evaluation.peers, *evaluation.published)}
    for model in evaluation.models:
        for anchor, rates in table[model.codec].items():
            cells = {name: "none" if rate is None else f"{rate:+.2f} %" for name, rate in rates.items()}
            cells |= {name: "-" for name in rates if not (model.has(name) and curves[anchor].has(name))}
            apart |= any(cells[name] == "none" for name in ("psnr", "ms_ssim", *(one.name for one in extra)))
            last = "".join(f" {cells[one.name]:>11}" for one in extra)
            say(f"{model.codec:{wide}} {anchor:{wide}} {cells['psnr']:>9} {cells['ms_ssim']:>9}{last}")
    if apart:
        say("\nnone: the two have no range of quality in common")


def _costs(evaluation: "Evaluation") -> None:
    from latticecodec.lab.evaluation import costs

    first = f"x {evaluation.peers[0].codec}" if evaluation.peers else ""
    wide = _width(evaluation)
    say(f"\n{'s/megapixel':{wide}} {'encode':>8} {first:>8} {'decode':>8} {first:>8} {'peak memory':>12}")
    for codec, cost in costs(evaluation).items():
        cells = [f"{codec:{wide}}"]
        for step in ("encode", "decode"):
            ratio = cost[f"{step}_ratio"]
            cells.append(f"{cost[f'{step}_s_per_megapixel']:8.3f} {'' if ratio is None else f'{ratio:.1f}':>8}")
        memory = cost["peak_memory"]
        cells.append(f"{'-' if memory is None else f'{memory / MIB:,.0f} MiB':>12}")
        say(" ".join(cells))
    say("")

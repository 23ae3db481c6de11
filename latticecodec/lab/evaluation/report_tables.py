"""The tables of the report, as HTML."""

from collections.abc import Iterable, Sequence
from html import escape

from .evaluate import Evaluation
from .measures import MEASURES
from .results import bd_rates, costs, rows

MIB = 2**20
NOTHING = "&ndash;"


def matrices(evaluation: Evaluation) -> str:
    """A table of BD-rates for each measure that has any: green fewer bits, red more."""
    rates = bd_rates(evaluation)
    anchors = [curve.codec for curve in (*evaluation.models[:1], *evaluation.peers, *evaluation.published)]
    cards = []
    for metric, measure in MEASURES.items():
        table = {codec: {name: cell[metric] for name, cell in row.items()} for codec, row in rates.items()}
        used = [name for name in anchors if any(row.get(name) is not None for row in table.values())]
        if used:
            body = [[escape(codec), *(_rate(row.get(name)) for name in used)] for codec, row in table.items()]
            head = [f"by {measure.label.split(',')[0]}", *used]
            cards.append(f'<div class="card">{_table(head, body, "matrix")}</div>')
    return "".join(cards) or '<p class="soft">No two codecs have a range of quality in common.</p>'


def _rate(rate: float | None) -> str:
    """A cell with its colour: full at 60 per cent of bits more or fewer."""
    if rate is None:
        return f"<td>{NOTHING}</td>"
    share = min(0.55, 0.55 * abs(rate) / 60)
    return f'<td class="{"good" if rate < 0 else "bad"}" style="--share: {share:.2f}">{_signed(rate)}</td>'


def _signed(rate: float) -> str:
    return f"{rate:+.1f} %".replace("-", "&minus;")


def cost_table(evaluation: Evaluation) -> str:
    """Speed and memory of each codec."""
    head = ["codec", "encode, s/megapixel", "decode, s/megapixel"]
    if evaluation.peers:
        first = evaluation.peers[0].codec
        head += [f"encode / {first}", f"decode / {first}"]
    body = []
    for codec, cost in costs(evaluation).items():
        row = [escape(codec), f"{cost['encode_s_per_megapixel']:.3f}", f"{cost['decode_s_per_megapixel']:.3f}"]
        if evaluation.peers:
            row += [f"{cost['encode_ratio']:.1f}", f"{cost['decode_ratio']:.1f}"]
        memory = cost["peak_memory"]
        body.append([*row, NOTHING if memory is None else f"{memory / MIB:,.0f} MiB"])
    return _table([*head, "peak memory"], body)


def point_table(evaluation: Evaluation) -> str:
    """Every point of every codec."""
    layouts = {"quality": "g", "bpp": ".4f", **{name: f".{measure.digits}f" for name, measure in MEASURES.items()}}
    body = [
        [
            escape(row["codec"]),
            *(NOTHING if row[name] is None else format(row[name], layout) for name, layout in layouts.items()),
        ]
        for row in rows(evaluation)
    ]
    return _table(["codec", "quality", "bpp", *(measure.title for measure in MEASURES.values())], body)


def builds_table(evaluation: Evaluation) -> str:
    """Which build of each codec, where published numbers come from, and what was left out and why."""
    every = (*evaluation.models, *evaluation.peers, *evaluation.published)
    lines = {curve.codec: curve.build for curve in every}
    lines |= {name: f"left out, {reason}" for name, reason in evaluation.missing.items()}
    return "".join(f"<div><b>{escape(name)}</b>: {escape(line)}</div>" for name, line in lines.items())


def _table(head: Sequence[str], body: Iterable[Sequence[str]], kind: str = "") -> str:
    """HTML of a table; cells of the body are HTML, with or without their <td>."""
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    cells = ("".join(cell if cell.startswith("<td") else f"<td>{cell}</td>" for cell in row) for row in body)
    lines = "".join(f"<tr>{line}</tr>" for line in cells)
    return f'<table class="{kind}"><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>'

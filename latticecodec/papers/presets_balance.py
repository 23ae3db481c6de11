"""Chen et al. 2024, "Balance of Number of Embedding and their Dimensions in Vector Quantization", arXiv 2407.04939.

N x D = 65536, EMA 0.99, alpha = 0.25, beta = 1, Adam 1e-4, batch 64 (24 for Tiny-ImageNet), on the public VQ-VAE
example that it names as its base: codewords and their sums begin as N(0, 1), counts at 0, and without moving averages
as U(-1/N, 1/N); the error is divided by the variance of the data.
"""

from dataclasses import replace

from .experiment import Claim, Experiment, Row, Table

PAPER = "Balance of Number of Embedding and their Dimensions, arXiv 2407.04939"
W = 65536
SIZES = tuple((2**power, W // 2**power) for power in range(9, 17))  # (512, 128) ... (65536, 1)
SMALL = ("mnist", "fashion-mnist", "cifar10")
ELSEWHERE = ("diabetic-retinopathy", "celeba")

FIXED = Experiment(
    "cnn",
    "vq-ema",
    start="example",
    rate=1e-4,
    epochs=16,  # the paper says none; 15,000 steps of 64 pictures out of 60,000 is the length of the public example
    low=-0.5,
    normalised=True,
    quick_steps=100,
)
ADAPTIVE = replace(FIXED, quantizer="adaptive", sizes=SIZES, beta=1.0)
BEST = "fixed [65536, 1]"


def sizes_of(capacity: int) -> tuple[tuple[int, int], ...]:
    """(N_i, D_i) with N_i D_i = capacity and the D_i of SIZES."""
    return tuple((capacity // dimensions, dimensions) for _, dimensions in SIZES)


def _fixed(data: tuple[str, ...], **changes: object) -> tuple[Row, ...]:
    rows = []
    before = ""
    for codes, dimensions in SIZES:
        label = f"[{codes}, {dimensions}]"
        experiment = replace(FIXED, codes=codes, dimensions=dimensions, **changes)  # type: ignore[arg-type]
        rows.append(Row(label, experiment, data, claim=Claim("mse", before) if before else None))
        before = label
    return tuple(rows)


def _tiny(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The same rows on Tiny-ImageNet, whose batch is 24."""
    return tuple(replace(row, experiment=replace(row.experiment, batch=24), data=("tiny-imagenet",)) for row in rows)


_BEST = Row(BEST, replace(FIXED, codes=65536, dimensions=1), SMALL)
_WINS = Claim("mse", BEST)
_SELECTION = (
    Row("adaptive", ADAPTIVE, (*SMALL, *ELSEWHERE), claim=_WINS),
    Row("adaptive, temperature 5 to 0.5", replace(ADAPTIVE, temperature="exponential"), SMALL, claim=_WINS),
    Row(
        "adaptive, k-means, temperature 5 to 0.5",
        replace(ADAPTIVE, temperature="exponential", start="k-means"),
        SMALL,
        claim=_WINS,
    ),
)
_DEFAULT = Row("default: W = 65536, EMA, alpha 0.25, beta 1, CNN", ADAPTIVE, SMALL)
_BETTER = Claim("mse", _DEFAULT.label)


def _ablation() -> tuple[Row, ...]:
    base = _DEFAULT.label
    changes: tuple[tuple[str, Claim | None, dict[str, object]], ...] = (
        ("W = 16384", Claim("mse", base, lower=False), {"sizes": sizes_of(16384)}),
        ("W = 32768", Claim("mse", base, lower=False), {"sizes": sizes_of(32768)}),
        ("without EMA", Claim("mse", base, lower=False), {"quantizer": "adaptive-gradient", "start": "uniform"}),
        ("alpha 0.1", None, {"commitment": 0.1}),
        ("alpha 0.5", None, {"commitment": 0.5}),
        ("beta 0.01", None, {"beta": 0.01}),
        ("beta 0.2", _BETTER, {"beta": 0.2}),
        ("CNN and ResNet", Claim("mse", base, lower=False), {"network": "resnet"}),
        ("Inception", None, {"network": "inception"}),
    )
    rows = [Row(label, replace(ADAPTIVE, **change), SMALL, claim=claim) for label, claim, change in changes]  # type: ignore[arg-type]
    return (_DEFAULT, *rows)


NUMBERS = (
    "The numbers of the paper's tables are not known here. They are sums over a validation pass of an error that is "
    "probably divided by the data's variance, at batches of 64, 64, 64, 24, 2 and 1: no error of a picture."
)
RATE = (
    "A token costs log2 N bits: 9 for [512, 128], 16 for [65536, 1], 3 more for the codebook's number. Equal capacity "
    "is not equal rate."
)
LENGTH = (
    "The paper does not say how long it trained; full is taken to be the 15,000 steps of its base. Codewords that "
    "begin as N(0, 1) with counts of 0 are thrown far away by the first step and need some 700 steps to come back: a "
    "quick training shows them collapsed."
)
CHOICE = (
    "Selection, projections and evaluation as in quantizers/adaptive.py: attention, a hard choice, no noise in "
    "evaluation. The paper's temperature falls from the number of iterations to 1. The adaptive rows on this page were "
    "trained with an attention of keys alone, whose two heads had their logits averaged, and with a last temperature "
    "of 2."
)

TABLES = (
    Table(
        "balance-1",
        "Eight fixed codebooks of equal capacity",
        f"{PAPER}, Table 1",
        _fixed((*SMALL, *ELSEWHERE)),
        (NUMBERS, LENGTH, RATE),
    ),
    Table(
        "balance-1-tiny",
        "Eight fixed codebooks of equal capacity on Tiny-ImageNet",
        f"{PAPER}, Table 1",
        _tiny(_fixed(("tiny-imagenet",))),
        (NUMBERS, LENGTH, RATE),
    ),
    Table(
        "balance-1-k-means",
        "The same codebooks, begun with k-means and with dead codes revived",
        f"{PAPER}: not in the paper",
        _fixed(("fashion-mnist",), start="k-means"),
        ("Whether large N wins by its number of codewords, or because N(0, 1) in many dimensions is a bad beginning.",),
    ),
    Table(
        "balance-2",
        "Adaptive codebooks against the best fixed one",
        f"{PAPER}, Table 2",
        (_BEST, *_SELECTION),
        (NUMBERS, LENGTH, RATE, CHOICE),
    ),
    Table(
        "balance-3",
        "Capacity, moving averages, loss weights, encoders",
        f"{PAPER}, Table 3",
        _ablation(),
        (NUMBERS, CHOICE, "The paper's values of alpha and of the smaller W are not all known here; these are ours."),
    ),
)

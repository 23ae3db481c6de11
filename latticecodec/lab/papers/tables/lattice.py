"""LL-VQ-VAE: Khalil, Piechocki, Santos-Rodriguez 2023, arXiv 2310.09382. Settings: section 4.1, its appendix, its code.

D = 64, K = 512, commitment 0.25, Adam 1e-3, 5 epochs. The published code multiplies the learning rate by 0.0 after each
epoch (`scheduler_gamma: 0.0`): after the first one only moving averages still change. Rows named "constant rate" go on.
"""

from dataclasses import replace

from ...widths import width_for_codebook_size
from ..experiment import Claim, Experiment, Row, Table

PAPER = "LL-VQ-VAE, arXiv 2310.09382"
FASHION = ("fashion-mnist",)
K, D = 512, 64
WIDTH = width_for_codebook_size(K, D)  # 9.77, eq. 6

VQ = Experiment("strided-2", "vq", K, D, start="uniform", rate_decay=0.0, low=-0.5)
EMA = replace(VQ, quantizer="vq-ema", start="example")
LATTICE = replace(VQ, quantizer="lattice", width=WIDTH, sparsity=1.0)
DENSE = replace(LATTICE, width=1.0, sparsity=-1.0)
FACES: dict[str, object] = {  # of 128x128, what stands in for FFHQ
    "network": "strided-4",
    "low": 0.0,
    "batch": 32,
    "flip": True,
    "quick_steps": 60,
    "quick_batch": 4,
}
METHODS = {"VQ-VAE": VQ, "VQ-VAE (EMA)": EMA, "LL-VQ-VAE": LATTICE, "LL-VQ-VAE (dense)": DENSE}
CLAIMS = {"LL-VQ-VAE": Claim("mse", "VQ-VAE"), "LL-VQ-VAE (dense)": Claim("mse", "LL-VQ-VAE")}

# Tables 2, 4 and 5 (which name the data by what stands in for it here): error, distinct embeddings, duration, and the
# size of the layer, which the paper gives once; None where it prints none
PRINTED: dict[str, dict[str, tuple[float, float | None, float]]] = {
    "faces-128": {
        "VQ-VAE": (0.0063, 36, 231),
        "VQ-VAE (EMA)": (0.0033, 87_982, 85),
        "LL-VQ-VAE": (0.0018, 1405, 79),
    },
    "faces-64": {
        "VQ-VAE": (0.0025, 98, 54),
        "VQ-VAE (EMA)": (0.0057, 34_210, 19),
        "LL-VQ-VAE": (0.0017, 890, 17),
        "LL-VQ-VAE (dense)": (0.00009, None, 16),
    },
    "fashion-mnist": {
        "VQ-VAE": (0.013, 32, 89),
        "VQ-VAE (EMA)": (0.047, 63_566, 84),
        "LL-VQ-VAE": (0.009, 1781, 84),
        "LL-VQ-VAE (dense)": (0.007, None, 85),
    },
}
LAYERS = {"VQ-VAE": 32_768.0, "VQ-VAE (EMA)": 65_536.0, "LL-VQ-VAE": 64.0}  # parameters, Table 2
# Table 3: range, gamma, K that the range is for, error, distinct embeddings
SPARSITY = ((1.0, 1.0, 1.84e19, 0.0016, 7439), (WIDTH, 1.0, 512, 0.0018, 1405), (1.0, -1.0, None, 0.0006, None))
RELEASED = {"VQ-VAE": 17, "VQ-VAE (EMA)": 201, "LL-VQ-VAE": 457}  # embeddings, in JSON files beside the weights


def _published(label: str, data: str) -> dict[tuple[str, str], float]:
    """What the paper prints of a method; durations as ratios to VQ-VAE's."""
    if label not in PRINTED[data]:
        return {}
    error, embeddings, duration = PRINTED[data][label]
    found = {"mse": error}
    if embeddings is not None:
        found["used_epoch" if "EMA" in label else "used"] = float(embeddings)
    found["seconds (printed)" if data == "fashion-mnist" else "minutes (printed)"] = float(duration)
    found["time"] = duration / PRINTED[data]["VQ-VAE"][2]
    if data == "faces-128":
        found["parameters (printed)"] = LAYERS[label]
    return {(data, metric): value for metric, value in found.items()}


def _methods(data: str, **changes: object) -> tuple[Row, ...]:
    return tuple(
        Row(label, replace(method, **changes), (data,), _published(label, data), CLAIMS.get(label))  # type: ignore[arg-type]
        for label, method in METHODS.items()
    )


def _released() -> tuple[Row, ...]:
    """The weights beside the paper's code: errors of Table 5, embeddings of the JSON files beside the weights."""
    files = ("vq", "vq-ema", "sparse_lattice", "dense_lattice")
    rows = []
    for (label, method), file in zip(METHODS.items(), files, strict=True):
        experiment = replace(method, weights=f"ll-vq-vae/fashion-mnist/{file}.ckpt")
        published = {("fashion-mnist", "mse"): PRINTED["fashion-mnist"][label][0]}
        if label in RELEASED:
            published["fashion-mnist", "used"] = float(RELEASED[label])
        rows.append(Row(label, experiment, FASHION, published))
    return tuple(rows)


def _constant() -> tuple[Row, ...]:
    end = ", constant rate"
    rows = []
    for label, method in METHODS.items():
        claim = CLAIMS.get(label)
        claim = claim and replace(claim, than=claim.than + end)
        rows.append(Row(label + end, replace(method, rate_decay=1.0), FASHION, claim=claim))
    return tuple(rows)


def _interval(width: float) -> str:
    """A range as the paper prints it, whose 9.76 is 9.767 cut short."""
    end = f"{int(100 * width) / 100:g}"
    return f"(-{end}, {end})"


def _ranges() -> tuple[Row, ...]:
    """Table 3: rows of faces, with the paper's numbers of FFHQ, and of Fashion-MNIST with gamma 0 beside them.

    A positive gamma makes the lattice sparser than none, a negative one denser.
    """
    rows = []
    for width, gamma, codes, error, embeddings in SPARSITY:
        numbers = {"target K (printed)": codes, "mse": error, "used": embeddings}
        published = {("faces-128", name): float(value) for name, value in numbers.items() if value is not None}
        label = f"faces: range {_interval(width)}, gamma {gamma:g}"
        rows.append(Row(label, replace(LATTICE, **FACES, width=width, sparsity=gamma), ("faces-128",), published))  # type: ignore[arg-type]
    for width in (WIDTH, 1.0):
        for gamma in (0.0, 1.0, -1.0):
            claim = Claim("used", f"range {_interval(width)}, gamma 0", lower=gamma > 0) if gamma else None
            experiment = replace(LATTICE, width=width, sparsity=gamma)
            rows.append(Row(f"range {_interval(width)}, gamma {gamma:g}", experiment, FASHION, claim=claim))
    return tuple(rows)


def _lattice(label: str, claim: Claim | None = None, **changes: object) -> Row:
    return Row(label, replace(LATTICE, rate_decay=1.0, **changes), FASHION, claim=claim)  # type: ignore[arg-type]


def _sizes() -> tuple[Row, ...]:
    rows = []
    for size in (64, 256, 512, 1024):
        vq = replace(VQ, codes=size, rate_decay=1.0)
        rows.append(Row(f"VQ-VAE, K = {size}", vq, FASHION))
        width = width_for_codebook_size(size, D)
        rows.append(_lattice(f"LL-VQ-VAE, K = {size}", Claim("mse", f"VQ-VAE, K = {size}"), codes=size, width=width))
    return tuple(rows)


def _rates() -> tuple[Row, ...]:
    rows = [
        Row(
            f"VQ-VAE, k-means, K = {size}",
            replace(EMA, codes=size, start="k-means", rate_decay=1.0),
            FASHION,
        )
        for size in (8, 64, 512)
    ]
    rows += [
        _lattice(f"lattice, gamma 0, range {width:g}", width=width, sparsity=0.0)
        for width in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
    ]
    return tuple(rows)


COUNTS = (
    "The paper counts more embeddings for VQ-VAE (EMA) than its codebook has. Moving averages change with every batch, "
    "and a count of vectors over an epoch of training takes a codeword for another one after each, so that it grows "
    "with the number of batches, of which none has more than K. *used_moving* counts so, over the pictures of *used*, "
    "which is by index, as in the JSON files beside the released checkpoints; *used_epoch* is *used_moving* for as "
    "many batches as an epoch of the paper has, whose number it stands beside."
)
TIMES = (
    "Durations are ratios to VQ-VAE's. The paper's text has 84 / 235 and 84 / 86 of FFHQ, its Table 2 has 79 / 231 and "
    "79 / 85. Its layer size of VQ-VAE (EMA) counts the sums of the moving averages too."
)
SUM = (
    "gamma weights the L1 norm of the basis (eq. 7), a sum over its 64 entries. The embedding and commitment terms are "
    "means over entries, as in the published code; eq. 8 has squared norms, beside which gamma weighs 64 times less: "
    "gamma 1/64 of table ll-gamma."
)

TABLES = (
    Table(
        "ll-2",
        "FFHQ-1024: error and distinct embeddings",
        f"{PAPER}, Table 2",
        _methods("faces-128", **FACES),
        (COUNTS, TIMES, "FFHQ is not to be had here: 100 faces train and 100 test, at 128x128."),
    ),
    Table(
        "ll-4",
        "CelebA: error and distinct embeddings",
        f"{PAPER}, Table 4",
        _methods("faces-64", low=0.0, flip=True, quick_steps=60, quick_batch=4),
        (COUNTS, TIMES, "CelebA is not to be had here: 100 faces train and 100 test, at 64x64."),
    ),
    Table(
        "ll-5",
        "Fashion-MNIST: error and distinct embeddings, with the published schedule and with a constant rate",
        f"{PAPER}, Table 5",
        _methods("fashion-mnist") + _constant(),
        (
            COUNTS,
            TIMES,
            SUM,
            "The learning rate is 0 from the second epoch on, as published, where no constant rate is named. Training "
            "is on all 60,000 pictures; the published code keeps 5,000 of them for validation.",
        ),
    ),
    Table(
        "ll-released",
        "Fashion-MNIST: the weights that the authors released",
        f"{PAPER}, experiments/pretrained beside its code",
        _released(),
        (
            "Nothing is trained: these weights are measured as a training is. Embeddings are counted over the 60,000 "
            "pictures of which 55,000 were trained on.",
            "The embeddings in the paper's column are not those of its Table 5 (32, 63,566 and 1,781), but those of "
            "the JSON files beside the weights, which count by index.",
        ),
    ),
    Table(
        "ll-3",
        "Initialisation range and sparsity",
        f"{PAPER}, Table 3",
        _ranges(),
        (
            SUM,
            "The paper's numbers are of FFHQ at 1024x1024. Its range for K = 512 is 9.767 (eq. 6), printed as 9.76.",
        ),
    ),
    Table(
        "ll-k",
        "Codebook size against D lattice parameters",
        f"{PAPER}: asked for by its readers",
        _sizes(),
        ("A lattice has D = 64 parameters whatever K is; K sets its initialisation range alone (eq. 6).",),
    ),
    Table(
        "ll-gamma",
        "gamma against codebook use and error",
        f"{PAPER}: asked for by its readers",
        (
            _lattice("gamma 0.001", sparsity=0.001),
            *(_lattice(f"gamma {gamma:g}", Claim("used", "gamma 0.001"), sparsity=gamma) for gamma in (0.01, 0.1, 1.0)),
            _lattice("gamma 1/64, which is 1 beside the squared norms of eq. 8", sparsity=1 / D),
        ),
        (SUM,),
    ),
    Table(
        "ll-range",
        "Initialisation range against codebook use and error, gamma 1",
        f"{PAPER}: asked for by its readers",
        tuple(
            _lattice(f"range {width:g}", Claim("used", "range 1") if width > 1 else None, width=width)
            for width in (1.0, 5.0, 10.0)
        ),
    ),
    Table(
        "ll-rate",
        "Lattices and codebooks with k-means and revived codes, for comparison at equal rate",
        f"{PAPER}: not in the paper",
        _rates(),
        ("Without the size term the basis follows the embedding term alone, so that its range is the rate control.",),
    ),
)

"""The central claims of the papers, each on one data set, and what their readers ask for beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..datasets import DATASETS
from ..experiment import Experiment
from ..results import Results
from ..tables import TABLES, balance, rotation
from ..tables.lattice import PRINTED, D, K
from . import counts, courses, findings, orders
from .rows import NEAR, OPPOSITE, UNMEASURED, difference


@dataclass(frozen=True)
class CentralClaim:
    """A statement on one data set, and how results are judged by it."""

    text: str
    data: str
    verdict: Callable[[Results, str], str]


Named = tuple[str, str]  # table, label
USED = ("used", False)
USE = (USED, ("perplexity", False))
NOT_SO = "not so"  # in place of refuted, of what no paper claims
PERPLEXITIES = ("batch_perplexity", "perplexity")  # as "Rotational and rescaling VQ-VAE" has it; of earlier results


def _pair(
    text: str, data: str, ours: Named, theirs: Named, metrics: Sequence[tuple[str, bool]], denied: str = "refuted"
) -> CentralClaim:
    """One row against another: (metric, whether lower is better), all of which must hold."""
    a, b = (TABLES[table].row(label).on(data) for table, label in (ours, theirs))

    def verdict(results: Results, data: str) -> str:
        return difference(results, a, b, data, metrics, denied=denied) or UNMEASURED

    return CentralClaim(text, data, verdict)


def _finding(
    text: str, data: str, experiments: Sequence[Experiment], find: findings.Find, denied: str = "refuted"
) -> CentralClaim:
    return CentralClaim(text, data, lambda results, data: findings.judged(results, experiments, data, find, denied))


def _rows(table: str, data: str) -> list[Experiment]:
    return [row.on(data) for row in TABLES[table].rows]


def _lattice() -> list[CentralClaim]:
    claims = []
    for table, data in (("ll-5", "fashion-mnist"), ("ll-2", "faces-128"), ("ll-4", "faces-64")):
        lattice, plain, moving = ((table, label) for label in ("LL-VQ-VAE", "VQ-VAE", "VQ-VAE (EMA)"))
        claims.append(_pair("LL-VQ-VAE has less error than VQ-VAE", data, lattice, plain, [("mse", True)]))
        claims.append(_pair("LL-VQ-VAE has less error than VQ-VAE (EMA)", data, lattice, moving, [("mse", True)]))
        dense, text = (table, "LL-VQ-VAE (dense)"), "the dense lattice has less error than LL-VQ-VAE"
        claims.append(_pair(text, data, dense, lattice, [("mse", True)]))
        less = data == "faces-128"  # of FFHQ alone the paper has less
        text = f"VQ-VAE (EMA) has {'less' if less else 'more'} error than VQ-VAE"
        claims.append(_pair(text, data, moving, plain, [("mse", less)]))
        trio = [TABLES[table].row(label).on(data) for _, label in (lattice, plain, moving)]
        if data == "fashion-mnist":  # where the paper has VQ-VAE (EMA) as fast
            claims.append(_finding("LL-VQ-VAE trains faster than VQ-VAE", data, trio[:2], courses.faster))
        else:
            text = "LL-VQ-VAE trains faster than VQ-VAE and than VQ-VAE (EMA)"
            claims.append(_finding(text, data, trio, courses.faster))
        text = "LL-VQ-VAE avoids collapse: more embeddings than VQ-VAE"
        claims.append(_pair(text, data, lattice, plain, [USED]))
        text = f"the size loss keeps the embeddings of LL-VQ-VAE near K = {K}: within a factor of four"
        claims.append(_finding(text, data, trio[:1], counts.about(K, 4.0)))
        printed, batches = PRINTED[data]["VQ-VAE (EMA)"][1], DATASETS[data].epoch(trio[2].batch)
        assert printed is not None
        text = (
            f"VQ-VAE (EMA) explodes: some {printed:,.0f} embeddings in an epoch of {batches:,} batches, of which each "
        )
        text += "counts the codewords anew that it moves; within a factor of two"
        claims.append(_finding(text, data, trio[2:], counts.moving(K, printed, batches, 1 + NEAR)))
    data = "fashion-mnist"
    text = "a lattice that begins dense, in (-1, 1), ends sparser with the size loss (gamma 1) than without (gamma 0)"
    sparse, plain = ("ll-3", "range (-1, 1), gamma 1"), ("ll-3", "range (-1, 1), gamma 0")
    claims.append(_pair(text, data, sparse, plain, [("used", True)]))
    free = [row.on(data) for row in TABLES["ll-3"].rows if data in row.data and row.experiment.sparsity == 0]
    claims.append(_finding("without the size term (gamma 0) the lattice grows denser", data, free, courses.denser))
    grid = [row.on(data) for row in TABLES["ll-3"].rows if data in row.data]
    text = "the denser the lattice, the lower the error (six ranges and gammas)"
    claims.append(_finding(text, data, grid, orders.less_with_more))
    return claims


def _checks() -> list[CentralClaim]:
    """Checks that a digest of LL-VQ-VAE asks its readers for, and the claims of papers in settings of others."""
    data = "fashion-mnist"
    constant = ("ll-5", "LL-VQ-VAE, constant rate"), ("ll-5", "VQ-VAE, constant rate")
    rotated, straight = ("rotation-ste", "rotation, beta 0.25"), ("rotation-ste", "straight-through, beta 0.25")
    gammas = [TABLES["ll-gamma"].row(f"gamma {gamma:g}").on(data) for gamma in (0.001, 0.01, 0.1, 1.0)]
    codebook = TABLES["ll-k"].row(f"VQ-VAE, K = {K}").on(data)
    lattices = [TABLES["ll-k"].row(f"LL-VQ-VAE, K = {k}").on(data) for k in (64, 256, 512, 1024)]
    return [
        _pair("LL-VQ-VAE avoids collapse with a constant learning rate too", data, *constant, USE, OPPOSITE),
        _pair(
            "the rotation of Fifty et al. raises codebook use and lowers the error against straight-through",
            "cifar10",
            rotated,
            straight,
            [*USE, ("mse", True)],
            OPPOSITE,
        ),
        _finding(
            "used / K is below 0.1 with VQ-VAE, above 0.9 with the lattice at gamma 0.001 to 1",
            data,
            [codebook, *gammas],
            counts.utilised([K] * 5),
            NOT_SO,
        ),
        _finding(
            "with 64 parameters at every K, the lattice's error degrades gracefully along it, by a half at most",
            data,
            lattices,
            counts.graceful(1.5),
            NOT_SO,
        ),
        _finding(
            "no dimension of the lattice is degenerate at ranges 1, 5, 10",
            data,
            _rows("ll-range", data),
            counts.undegenerate(D),
            NOT_SO,
        ),
    ]


def _balance(data: str) -> list[CentralClaim]:
    fixed, sizes = _rows("balance-1", data), balance.SIZES
    labels = [balance.label_of(*pair) for pair in sizes]
    column = balance.DATA.index(data)
    printed = [balance.FIXED_ERRORS[pair][column] for pair in sizes]
    best = sizes.index(balance.best_of(data))
    adaptive = TABLES["balance-2"].row("adaptive").on(data)
    ablations = [balance.BASE_ERRORS, *(numbers for _, _, numbers in balance.CHANGES)]
    names = [row.label for row in TABLES["balance-3"].rows]
    share = balance.ADAPTIVE_ERRORS[column] / printed[best] - 1
    claims = [
        _finding("the least error of equal capacity lies inside, at neither end", data, fixed, orders.inside(labels)),
        _finding(
            f"the eight errors are in the paper's order, the least at {labels[best]}",
            data,
            fixed,
            orders.as_printed(labels, printed),
        ),
        _finding("the quantization loss falls with D", data, fixed, courses.loss_along([d for _, d in sizes])),
        _finding(
            "adaptive codebooks have less error than the best fixed one, by 13 % or more",
            data,
            [adaptive, *fixed],
            orders.below_by(0.13, share),
        ),
        _finding(
            f"adaptive codebooks choose {labels[-1]} early and {labels[best]} in the end",
            data,
            [adaptive],
            courses.chosen(best, sizes),
        ),
        _finding(
            "gradient gap and quantization loss of adaptive codebooks are low: at most the median of fixed ones",
            data,
            [adaptive, *fixed],
            courses.both_low,
        ),
        _finding(
            "each change of Table 3 raises or lowers the error as in the paper",
            data,
            _rows("balance-3", data),
            orders.signs(names, [numbers[column] for numbers in ablations]),
        ),
    ]
    if DATASETS[data].channels == 3:
        text = "the gradient gap is level up to the best codebook and grows beyond"
        return [*claims, _finding(text, data, fixed, courses.gap_beyond(best))]
    text = "the gradient gap falls after the first 1,000 steps"
    return [*claims, _finding(text, data, fixed, courses.falls(1000))]


def _rotation() -> list[CentralClaim]:
    data, sweep = "cifar10", _rows("rotation-3", "cifar10")
    betas = [beta for beta, _, _ in rotation.SWEEP]
    printed = [test[rotation.NAMES.index("mse_forward")] for _, _, test in rotation.SWEEP]
    text = "a lower beta lowers the reconstruction loss, in the order of Table 3"
    late, early = (("rotation-2", f"{name}, K = 1024") for name in ("Large", "Initial"))
    losses = [("total_loss_train", True), ("mse_forward_train", True), ("batch_perplexity_train", False)]
    improves = "training lowers total and reconstruction loss and raises perplexity, from Initial to Large"
    return [
        _pair(improves, data, late, early, losses),
        _finding("a lower beta raises perplexity", data, sweep, orders.rising(PERPLEXITIES, betas, -1)),
        _finding(text, data, sweep, orders.in_printed_order("mse_forward", printed)),
        _finding("a higher beta lowers the total loss", data, sweep, orders.rising(["total_loss"], betas, -1)),
    ]


def _claims() -> list[CentralClaim]:
    return [*_lattice(), *(claim for data in balance.SMALL for claim in _balance(data)), *_rotation()]


CLAIMS = _claims()
CHECKS = _checks()

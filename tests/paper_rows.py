"""Small experiments of every kind, and results as a file of `lcodec reproduce` has them."""

from dataclasses import asdict, replace

from latticecodec.lab.papers.datasets import DATASETS
from latticecodec.lab.papers.experiment import Budget, Experiment
from latticecodec.lab.papers.results import key
from latticecodec.lab.papers.tables import balance, lattice, rotation

TINY = Budget("quick", 0.0, fit_pictures=16, test_pictures=8, coded_pictures=4, looks=3)
FASHION = DATASETS["fashion-mnist"]
SMALL = {"network": "strided-4", "codes": 16, "dimensions": 4, "quick_steps": 3, "quick_batch": 4}
KINDS: dict[str, Experiment] = {
    "vq": replace(lattice.VQ, **SMALL),  # type: ignore[arg-type]
    "vq-ema": replace(lattice.EMA, **SMALL),  # type: ignore[arg-type]
    "lattice": replace(lattice.LATTICE, **SMALL, width=0.1, sparsity=0.0),  # type: ignore[arg-type]
    "projected": replace(
        balance.FIXED,
        network="cnn",
        codes=16,
        dimensions=4,
        quick_steps=3,
        quick_batch=4,
    ),
    "adaptive": replace(
        balance.ADAPTIVE, network="cnn", sizes=((8, 4), (16, 2), (32, 1)), quick_steps=3, quick_batch=4
    ),
    "rotation": replace(rotation.ROTATION, **SMALL | {"dimensions": 8}),  # type: ignore[arg-type]
    "rescaled": replace(rotation.RESCALED, **SMALL | {"dimensions": 8}),  # type: ignore[arg-type]
    "k-means": replace(lattice.EMA, **SMALL, start="k-means"),  # type: ignore[arg-type]
}


def result(
    experiment: Experiment, seed: int = 0, budget: str = "full", data: str = "fashion-mnist", **metrics: float
) -> dict[str, object]:
    measured = {"mse": 0.1, "psnr": 20.0, "bpp": 0.5, "used": 10.0, "perplexity": 5.0, "parameters": 64} | metrics
    return {
        "key": key(experiment, data, budget, seed),
        "table": "a table",
        "label": "a row",
        "data": data,
        "budget": budget,
        "seed": seed,
        "experiment": asdict(experiment),
        "digest": "digest",
        "hardware": "a processor",
        "source": "source",
        "steps": 3,
        "learning_steps": 3,
        "batch": 4,
        "seconds": 1.5,
        "metrics": measured,
        "history": [],
    }

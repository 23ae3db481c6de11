"""What not every installation has: the packages behind the extras of this one, and the line that asks for them."""

from importlib.util import find_spec

from .errors import LcqError

PACKAGES = {  # that cannot be done without, by extra in pyproject.toml
    "torch": ("torch",),
    "train": ("torch", "torchvision", "tensorboard", "pytorch_msssim"),
    "eval": ("torch", "pytorch_msssim"),
    "papers": ("torch",),
    "parquet": ("pyarrow",),
    "bulk": ("ray", "fsspec", "pyarrow"),
}


def require(extra: str, what: str) -> None:
    """Raise LcqError where a package of `extra` is not installed; nothing is imported to find out.

    Args:
        extra: a key of PACKAGES.
        what: what needs it, as users call it.
    """
    for package in PACKAGES[extra]:
        if find_spec(package) is None:
            raise LcqError(f"{what} needs {package}; pip install 'latticecodec[{extra}]'")

"""The numbers of FORMAT.md's example of the prior, as plain_reader.py meets them."""

from pathlib import Path

import numpy as np
from plain_reader import PlainReader

CONFORMANCE = Path(__file__).parent / "conformance"

Row = tuple[str, str]  # what it is, and the first values


class Telling(PlainReader):
    """A reader that keeps the first values of what it meets, of channels 0 to 3 at position (0, 0)."""

    def __init__(self, name: str, model: str) -> None:
        super().__init__((CONFORMANCE / "files" / f"{name}.lcq").read_bytes(), CONFORMANCE / "models" / model)
        self.rows: list[Row] = []

    def tell(self, what: str, values: np.ndarray) -> None:
        self.rows.append((what, ", ".join(str(value) for value in np.ravel(values)[:4])))

    def _group(self, own: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        ids, base = self._locate(mean[own], scale[own])
        for what, values in (
            ("mean outputs", mean[own]),
            ("scale outputs", scale[own]),
            ("table ids", ids),
            ("bases", base),
        ):
            self.tell(what, values)
        placed = super()._group(own, mean, scale)
        self.tell("values", placed[own])
        return placed

    def _symbol_inputs(self, v: np.ndarray) -> np.ndarray:
        inputs = super()._symbol_inputs(v)
        self.tell("symbol inputs", inputs[:, 0, 0])
        return inputs

    def _pointwise(self, name: str, x: np.ndarray) -> np.ndarray:
        sums = super()._pointwise(name, x)
        self.tell(f"sums of `{name}`", sums[:, 0, 0])
        return sums

    def _depthwise(self, name: str, x: np.ndarray) -> np.ndarray:
        sums = super()._depthwise(name, x)
        self.tell(f"sums of `{name}`", sums[:, 0, 0])
        return sums

    def _activate(self, name: str, sums: np.ndarray) -> np.ndarray:
        out = super()._activate(name, sums)
        self.tell("activations", out[:, 0, 0])
        return out

    def _features(self, z: np.ndarray) -> np.ndarray:
        features = super()._features(z)
        self.tell("features", features[:, 0, 0])
        return features

    def _with_parity_sums(self, mean: np.ndarray, scale: np.ndarray, coset: int) -> tuple[np.ndarray, ...]:
        found = super()._with_parity_sums(mean, scale, coset)
        for what, values in zip(("table ids", "bases", "rho", "S"), found, strict=True):
            self.tell(f"{what}, c = {coset}", values[0])
        return found

    def _bits(self, zero: np.ndarray, one: np.ndarray) -> np.ndarray:
        bits = super()._bits(zero, one)
        self.tell("weights of 0", zero)
        self.tell("weights of 1", one)
        self.tell("bits", bits)
        return bits

    def _logits(self, group: int, hidden: np.ndarray, c: np.ndarray) -> np.ndarray:
        logits = super()._logits(group, hidden, c)
        self.tell("logits", logits)
        self.tell("largest logit", logits.max())
        return logits

    def _frequencies(self, logits: np.ndarray) -> np.ndarray:
        frequencies = super()._frequencies(logits)
        self.tell("frequencies", frequencies)
        return frequencies

    def _symbol(self, frequencies: np.ndarray) -> int:
        index = super()._symbol(frequencies)
        if self.groups and self.rows[-1][0] == "frequencies":
            self.tell("index", np.array(index))
        return index


def told(name: str, model: str) -> list[Row]:
    """All that a file makes a reader meet."""
    reader = Telling(name, model)
    reader.indices()
    return reader.rows

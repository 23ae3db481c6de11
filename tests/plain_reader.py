"""A second implementation of sections 7 to 9 of FORMAT.md, without latticecodec, torch and constriction."""

import json
from pathlib import Path

import numpy as np
import plain_container
from safetensors.numpy import load_file


class PlainReader:
    """The payload of a file to the index tensor, in plain integers; sections of FORMAT.md in brackets."""

    BLOCK = 4096  # positions [9.6]

    def __init__(self, data: bytes, model: Path) -> None:
        header = plain_container.read(data)
        (tile,) = header.tiles
        self.payload = tile.payload
        self.low, self.range = 0, (1 << 64) - 1
        self.point = self._word() << 32 | self._word()
        config = json.loads((model / "config.json").read_text())
        folders = [model.parent / config["base"]] if config["base"] else []
        state = {k: v for folder in [*folders, model] for k, v in load_file(folder / "model.safetensors").items()}
        self.state = {k.removeprefix("prior."): v.astype(np.int64) for k, v in state.items() if k.startswith("prior.")}
        self.groups, self.codes, self.books = config["groups"], config["codes"], config["books"]  # [9.6]
        self.level = self._level(-header.scale, config["octaves"])
        self.tables = len(self.state["tables.offsets"]) - 1
        self.unit = 2 if header.family == 3 else 1
        self.height, self.width = -(-header.height // 16), -(-header.width // 16)

    @staticmethod
    def _level(fineness: int, octaves: float) -> int:  # [9.1]
        span = round(1024 * octaves)
        return min(max((2 * fineness * 63 + span) // (2 * span), 0), 63)

    def indices(self) -> np.ndarray:  # [7]
        h, w = self.height, self.width
        mean, scale = self.state["z"][:, self.level]  # [Z] each
        rows, columns = -(-h // 4), -(-w // 4)
        every = np.ones((len(mean), rows, columns), dtype=bool)
        z = self._group(every, *(np.broadcast_to(part[:, None, None], every.shape) for part in (mean, scale)))[every]
        features = self._features(self.unit * z.reshape(every.shape))[:, :h, :w]
        if self.groups:
            return self._categorical(features)
        channels = len(self.state["context.leave.bias"]) // 2
        c, y, x = np.indices((channels, h, w))
        steps = np.array([[0, 2], [3, 1]])[y % 2, x % 2] ^ (c % 4)
        k = np.zeros((channels, h, w), dtype=np.int64)
        for step in range(4):
            group = self._group if self.unit == 1 else self._e8_groups
            k += group(steps == step, *self._predictions(np.where(steps < step, k, 0), features, step))
        return k

    def _group(self, own: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:  # [7], [9.4]
        """The symbols of a group at their places, 0 elsewhere."""
        ids, base = self._locate(mean[own], scale[own])
        placed = np.zeros(own.shape, dtype=np.int64)
        placed[own] = (base + self._residuals(ids)).clip(-32767, 32767)
        return placed

    def _locate(self, mean: np.ndarray, scale: np.ndarray, coset: int = 0) -> tuple[np.ndarray, np.ndarray]:  # [9.4]
        n = self.state["tables.shifts"][scale]
        m = self.state["tables.means"][mean + 511] - 8 * coset
        m = ((m + (2**n >> 1)) >> n) << n
        return self.state["tables.first"][scale] + (((m + 8) & 15) >> n), (m + 8) >> 4

    def _e8_groups(self, own: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:  # [9.5]
        """The doubled coordinates of a step at their places, 0 elsewhere."""
        mean, scale = mean[own], scale[own]
        large = [i for i in np.argsort(scale, kind="stable") if scale[i] >= self.state["e8.threshold"][0]]
        blocks = np.array(large[len(large) % 8 :], dtype=np.int64).reshape(-1, 8)
        alone = np.setdiff1d(np.arange(len(mean)), blocks)
        values = np.zeros(len(mean), dtype=np.int64)
        ids, base = self._locate(mean[alone], scale[alone])
        values[alone] = 2 * (base + self._residuals(ids))
        if len(blocks):
            found = [self._with_parity_sums(mean[blocks], scale[blocks], coset) for coset in (0, 1)]
            coset = self._bits(*(4096 + sums[:, 0] for _, _, _, sums in found))
            ids, base, rho, sums = (np.where(coset[:, None], b, a) for a, b in zip(*found, strict=True))
            parity = np.zeros_like(ids)
            for i in range(7):
                s = 1 - 2 * (parity[:, :i].sum(1) % 2)
                r, ahead = rho[:, i], s * sums[:, i + 1]
                parity[:, i] = self._bits((4096 + r) * (4096 + ahead), (4096 - r) * (4096 - ahead))
            parity[:, 7] = parity[:, :7].sum(1) % 2
            q = parity ^ (base & 1)
            j = self._residuals((self.state["e8.even"][ids] + q).ravel()).reshape(-1, 8)
            values[blocks] = 2 * (base + 2 * j + q) + coset[:, None]
        placed = np.zeros(own.shape, dtype=np.int64)
        placed[own] = values.clip(-32767, 32767)
        return placed

    def _with_parity_sums(self, mean: np.ndarray, scale: np.ndarray, coset: int) -> tuple[np.ndarray, ...]:
        """Table ids, bases, rho [B, 8] and S [B, 9]."""
        ids, base = self._locate(mean, scale, coset)
        rho = np.where(base & 1, -1, 1) * self.state["e8.rho"][ids]
        sums = np.full((len(ids), 9), 4096, dtype=np.int64)
        for i in range(7, -1, -1):
            sums[:, i] = (sums[:, i + 1] * rho[:, i]) >> 12
        return ids, base, rho, sums

    def _bits(self, zero: np.ndarray, one: np.ndarray) -> np.ndarray:
        return self._residuals(self.tables + (zero * 128 // (zero + one)).clip(0, 127)) & 1

    def _residuals(self, ids: np.ndarray) -> np.ndarray:  # [7]
        """The residuals of a group whose table ids in natural order are given."""
        values, escapes = np.zeros(len(ids), dtype=np.int64), []
        for i in np.argsort(ids, kind="stable"):
            added = ids[i] >= self.tables
            name, row = ("e8", ids[i] - self.tables) if added else ("tables", ids[i])
            start, end = self.state[f"{name}.offsets"][row : row + 2]
            half = (end - start) // 2 - 1
            index = self._symbol(self.state[f"{name}.frequencies"][start:end])
            if index == 2 * half + 1:
                escapes.append((i, half))
            else:
                values[i] = index - half
        for i, half in sorted(escapes):  # [8.3]
            bits = self._uniform(24) + 1
            excess = (1 << (bits - 1)) + (self._uniform(1 << (bits - 1)) if bits > 1 else 0)
            values[i] = -(half + excess) if self._uniform(2) else half + excess
        return values

    def _categorical(self, features: np.ndarray) -> np.ndarray:  # [9.6]
        """The index tensor of a file with codebooks."""
        _, h, w = features.shape
        indices = np.zeros((len(self.groups), h * w), dtype=np.int64)
        c = np.zeros((sum(self.groups), h * w), dtype=np.int64)
        ends = np.cumsum(self.groups)
        for p in (0, 1):
            hidden = self._adapt(p, np.concatenate([c.reshape(-1, h, w), features])).reshape(-1, h * w)
            own = [at for at in range(h * w) if (at // w + at % w) % 2 == p]
            for start in range(0, len(own), self.BLOCK):
                for group, (end, width) in enumerate(zip(ends, self.groups, strict=True)):
                    for at in own[start : start + self.BLOCK]:
                        i = self._symbol(self._frequencies(self._logits(group, hidden[:, at], c[:, at])))
                        indices[group, at] = i
                        c[end - width : end, at] = self.state["codewords"][i, end - width : end]
        indices = indices.reshape(-1, h, w)
        return self._pairs(indices) if self.books else indices

    def _pairs(self, indices: np.ndarray) -> np.ndarray:
        """The index tensor of a file with quantizer 3."""
        s = round(len(indices) ** 0.5)
        square = np.zeros((s * indices.shape[1], s * indices.shape[2]), dtype=np.int64)
        for a, b in np.ndindex(s, s):
            square[a::s, b::s] = indices[s * a + b]
        ends = np.cumsum(self.books)
        book = np.searchsorted(ends, square, side="right")
        return np.stack([book, square - (ends - self.books)[book]])

    def _logits(self, group: int, hidden: np.ndarray, c: np.ndarray) -> np.ndarray:
        units = self.state["context.leave.weight"].shape[1]
        x = self._rows("context.merge", group * units, units, np.concatenate([hidden, c]), 0).clip(0, 255)
        return self._rows("context.leave", group * self.codes, self.codes, x, 1)

    def _rows(self, name: str, start: int, count: int, x: np.ndarray, offset: int) -> np.ndarray:
        """round(sum, e + offset) of some rows of a layer at one position."""
        weight, bias, e = (
            self.state[f"{name}.{part}"][start : start + count] for part in ("weight", "bias", "exponent")
        )
        return (weight @ x + bias + 2 ** (e + offset - 1)) >> (e + offset)

    def _frequencies(self, logits: np.ndarray) -> np.ndarray:
        powers = self.state["powers"]
        weights = powers[np.minimum(logits.max() - logits, len(powers) - 1)]
        frequencies = 1 + weights * (2**24 - self.codes) // weights.sum()
        frequencies[np.argmax(frequencies)] += 2**24 - frequencies.sum()
        return frequencies

    def _word(self) -> int:  # [8.1]
        word, self.payload = self.payload[:4], self.payload[4:]
        return int.from_bytes(word, "little")

    def _quantile(self) -> int:
        return (self.point - self.low) % (1 << 64) // (self.range >> 24)

    def _advance(self, left: int, frequency: int) -> None:
        unit = self.range >> 24
        self.low, self.range = (self.low + unit * left) % (1 << 64), unit * frequency
        if self.range < 1 << 32:
            self.low, self.range = (self.low << 32) % (1 << 64), self.range << 32
            self.point = (self.point << 32) % (1 << 64) + self._word()

    def _symbol(self, frequencies: np.ndarray) -> int:
        ends = np.cumsum(frequencies)
        index = int(np.searchsorted(ends, self._quantile(), side="right"))
        self._advance(int(ends[index] - frequencies[index]), int(frequencies[index]))
        return index

    def _uniform(self, count: int) -> int:  # [8.2]
        share = (1 << 24) // count
        value = min(self._quantile() // share, count - 1)
        self._advance(share * value, share if value < count - 1 else (1 << 24) - share * value)
        return value

    def _symbol_inputs(self, v: np.ndarray) -> np.ndarray:  # [9.2]
        compand = self.state["compand"]
        return np.sign(v) * compand[np.minimum(abs(v), len(compand) - 1)]

    def _pointwise(self, name: str, x: np.ndarray) -> np.ndarray:
        bias = self.state[f"{name}.bias"]
        bias = bias[self.level] if bias.ndim == 2 else bias
        return np.tensordot(self.state[f"{name}.weight"], x, 1) + bias[:, None, None]

    def _depthwise(self, name: str, x: np.ndarray) -> np.ndarray:
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        sums = np.zeros_like(x) + self.state[f"{name}.bias"][:, None, None]
        for i, j in np.ndindex(3, 3):
            weight = self.state[f"{name}.weight"][:, 3 * i + j, None, None]
            sums += weight * padded[:, i : i + x.shape[1], j : j + x.shape[2]]
        return sums

    def _round(self, name: str, sums: np.ndarray, offset: int = 0) -> np.ndarray:
        n = self.state[f"{name}.exponent"][:, None, None] + offset
        return (sums + 2 ** (n - 1)) >> n

    def _activate(self, name: str, sums: np.ndarray) -> np.ndarray:
        return self._round(name, sums).clip(0, 255)

    def _block(self, name: str, x: np.ndarray) -> np.ndarray:
        t = self._activate(f"{name}.inner", self._pointwise(f"{name}.inner", x))
        t = self._activate(f"{name}.spatial", self._depthwise(f"{name}.spatial", t))
        kept = x << self.state[f"{name}.outer.exponent"][:, None, None]
        return self._activate(f"{name}.outer", self._pointwise(f"{name}.outer", t) + kept)

    def _features(self, z: np.ndarray) -> np.ndarray:  # [9.3]
        x = self._activate("hyper.enter", self._pointwise("hyper.enter", self._symbol_inputs(z)))
        x = self._block("hyper.block", shuffle(x))
        return shuffle(self._activate("hyper.leave", self._pointwise("hyper.leave", x)))

    def _adapt(self, step: int, x: np.ndarray) -> np.ndarray:
        adaptor = f"context.adaptors.{step}"
        x = self._activate(adaptor, self._pointwise(adaptor, x))
        for i in range(sum(f"context.blocks.{i}.inner.bias" in self.state for i in range(100))):
            x = self._block(f"context.blocks.{i}", x)
        return x

    def _predictions(self, known: np.ndarray, features: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray]:
        x = self._adapt(step, np.concatenate([self._symbol_inputs(known), features]))
        sums = self._pointwise("context.leave", x)
        mean = self._round("context.leave", sums, -1).clip(-511, 511)
        scale = self._round("context.leave", sums, 2).clip(0, 63)
        return mean[: len(known)], scale[len(known) :]


def shuffle(x: np.ndarray) -> np.ndarray:
    """Channel 4 c + 2 i + j at (y, x) goes to channel c at (2 y + i, 2 x + j)."""
    channels, height, width = x.shape
    result = np.empty((channels // 4, 2 * height, 2 * width), dtype=x.dtype)
    for i, j in np.ndindex(2, 2):
        result[:, i::2, j::2] = x[2 * i + j :: 4]
    return result

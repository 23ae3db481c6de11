"""Vector quantization with a learned codebook (VQ-VAE, van den Oord et al. 2017, arXiv 1711.00937)."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import TrainingError
from ..ranks import ALONE, Ranks
from .codewords import checked, nearest
from .kmeans import cluster_sums, kmeans

KMEANS_ITERATIONS = 10
COMMITMENT = 0.25  # weight of the commitment loss
SMOOTHING = 1e-5  # rows added to every count, so that a code that was never used has no zero in its denominator


@dataclass(frozen=True)
class VectorQuantized:
    """Result of quantizing row vectors."""

    values: Tensor  # [N, D] float32 codewords, bit for bit; the gradient passes to the input
    indices: Tensor  # [N] (products and residuals: [N, G]) int64
    loss: Tensor  # [] auxiliary loss: commitment, and with learning by gradient the codebook term


def step_generator(seed: int, step: int) -> torch.Generator:
    """Random numbers of one training step: a run that resumes from a checkpoint draws what it would have drawn."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step)


class VectorQuantizer(nn.Module):
    """Nearest of K codewords in D dimensions.

    The first batch in training mode sets the codewords by k-means. Later ones revive dead codes first: codes used
    far less often than the mean code are moved onto random rows of the batch, at most one for a row, together with
    all their statistics. In eval mode nothing changes. All arithmetic is in float32, under autocast as well.

    With `cosine`, rows and codewords are scaled to unit length before anything else: the nearest is then the one
    of largest cosine similarity, a value is the codeword at unit length, the row's own length is not coded, and the
    gradient passes back through the scaling of the row (ViT-VQGAN, Yu et al. 2022, section 3.2).

    Of several processes, `ranks`, all learn from the rows of all, and so have the same codewords.

    Args:
        codes: number K of codewords.
        dimensions: D.
        update: "ema" learns codewords as moving averages (appendix A.1 of the paper; they are a buffer), "gradient"
            by the codebook term of the loss (eq. 3; they are a parameter).
        decay: gamma of appendix A.1, also of the use counts when learning by gradient.
        commitment: beta of eq. 3.
        cosine: nearest by cosine similarity.
        revive_below: a code is dead when its moving count is below this share of the mean count; 0 revives none.
        seed: of the random choices; each step derives its own from this and a counter in the state.

    Raises:
        TrainingError: K or D is below 1, or `update` is neither name.
    """

    codebook: Tensor  # [K, D]
    counts: Tensor  # [K] N of appendix A.1: moving average of the rows a batch gives each code
    sums: Tensor  # [K, D] m of appendix A.1: moving average of the sum of these rows; only with "ema"
    steps: Tensor  # [] int64, training batches seen
    ranks: Ranks = ALONE

    def __init__(
        self,
        codes: int,
        dimensions: int,
        update: Literal["ema", "gradient"] = "ema",
        decay: float = 0.99,
        commitment: float = COMMITMENT,
        cosine: bool = False,
        revive_below: float = 0.1,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if codes < 1 or dimensions < 1:
            raise TrainingError(f"a codebook of {codes} codewords in {dimensions} dimensions has no entries")
        if update not in ("ema", "gradient"):
            raise TrainingError(f"update is {update!r}; it must be 'ema' or 'gradient'")
        self.codes, self.dimensions, self.update = codes, dimensions, update
        self.decay, self.commitment, self.cosine = decay, commitment, cosine
        self.revive_below, self.seed = revive_below, seed
        codebook = torch.randn(codes, dimensions, generator=step_generator(seed, 0), dtype=torch.float32)  # [K, D]
        if update == "gradient":
            self.codebook = nn.Parameter(codebook)
        else:
            self.register_buffer("codebook", codebook)
            self.register_buffer("sums", codebook.clone())
        self.register_buffer("counts", torch.ones(codes, dtype=torch.float32))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, z: Tensor, penalty: Tensor | None = None) -> VectorQuantized:
        """Quantize z [N, D]; in training mode learn from it as well.

        With `penalty` [N, K], added to the squared distances, the choice is entropy-constrained: see `ecvq`.
        """
        z = self._scaled(z.float())  # [N, D]
        everyone = self.ranks.gathered(z.detach()) if self.training else z  # [N', D]
        learning = self.training and bool(everyone.isfinite().all())  # a row that is not a number would stay for good
        if learning:
            self._prepare(everyone)
        codewords = self._scaled(self.codebook)  # [K, D]
        indices = nearest(z, codewords, penalty)  # [N]
        values = codewords[indices]  # [N, D]
        loss = self.commitment * F.mse_loss(z, values.detach())
        if self.update == "gradient":
            loss = loss + F.mse_loss(values, z.detach())
        if learning:
            self.learn(z.detach(), indices)
        return VectorQuantized(self.pass_gradient(z, values.detach()), indices, loss)

    def pass_gradient(self, z: Tensor, values: Tensor) -> Tensor:
        """`values` [N, D] bit for bit, with the gradient of z [N, D]: straight-through (section 3.2 of the paper)."""
        return values - (z.detach() - z)

    @torch.no_grad()
    def quantize(self, z: Tensor, penalty: Tensor | None = None) -> Tensor:
        """Indices int64 [N] of the codewords nearest to z [N, D]; the lowest of equals, 0 for a row with a NaN.

        `penalty` [K] or [N, K] is added to the squared distances.
        """
        return nearest(self._scaled(z.float()), self._scaled(self.codebook), penalty)

    def bits(self) -> Tensor:
        """Bits [K] of each index by the moving counts: -log2 of its share."""
        counts = self.smoothed_counts()  # [K]
        return torch.log2(counts.sum() / counts)

    @torch.no_grad()
    def dequantize(self, indices: Tensor) -> Tensor:
        """Codewords [N, D] of `indices` [N].

        Raises:
            FormatError: an index is not in 0 ... K-1.
        """
        return self._scaled(self.codebook)[checked(indices, self.codes)]

    @torch.no_grad()
    def begin_at(self, codebook: Tensor, counts: Tensor | None = None) -> None:
        """Take the codewords [K, D] of a trained codebook; training goes on from there without k-means.

        `counts` [K] are the rows a batch gives each code, equal ones by default.
        """
        counts = torch.ones(self.codes, dtype=torch.float32) if counts is None else counts
        self.counts.copy_(counts)
        self._place(torch.arange(self.codes), codebook, counts)
        self.steps.fill_(max(1, int(self.steps)))

    def _scaled(self, rows: Tensor) -> Tensor:
        """Rows at unit length for cosine similarity, as they are otherwise."""
        return F.normalize(rows) if self.cosine else rows

    @torch.no_grad()
    def _prepare(self, z: Tensor) -> None:
        """Before the search: the first codewords, or new codewords for dead codes."""
        step = int(self.steps)
        generator = step_generator(self.seed, step)
        if step == 0:
            means, sizes = kmeans(z, self.codes, KMEANS_ITERATIONS, generator)
            self._place(torch.arange(self.codes, device=z.device), means, sizes)
        else:
            dead = (self.counts < self.revive_below * self.counts.mean()).nonzero()[: len(z), 0]
            if len(dead):
                rows = torch.randperm(len(z), generator=generator)[: len(dead)].to(z.device)
                self._place(dead, z[rows], self.counts.mean().expand(len(dead)))
        self.steps += 1

    def _place(self, at: Tensor, codewords: Tensor, counts: Tensor) -> None:
        """Set codewords `at` [n] to rows [n, D], with statistics from which the next average begins at them."""
        self.codebook[at] = codewords
        self.counts[at] = counts
        if self.update == "ema":
            self.sums[at] = codewords * self.smoothed_counts()[at, None]  # [n, D]

    @torch.no_grad()
    def learn(self, z: Tensor, indices: Tensor) -> None:
        """Learn from rows z [N, D] with their indices [N].

        Moving averages of appendix A.1: N <- gamma N + (1 - gamma) n, m likewise, codeword = m / N.
        """
        sizes, sums = (self.ranks.total(x) for x in cluster_sums(z, indices, self.codes))  # [K], [K, D]
        self.counts.lerp_(sizes, 1 - self.decay)
        if self.update == "ema":
            self.sums.lerp_(sums, 1 - self.decay)
            self.codebook.copy_(self.sums / self.smoothed_counts()[:, None])

    def smoothed_counts(self) -> Tensor:
        """Counts [K] with Laplace smoothing, scaled back to their own total: (N + e) total / (total + K e)."""
        total = self.counts.sum()
        return (self.counts + SMOOTHING) * total / (total + self.codes * SMOOTHING)  # [K]

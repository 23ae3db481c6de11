"""What a row of a paper's table is made of: small data, readable at a glance."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Experiment:
    """One training: everything that its result depends on but the data, the seed and the budget."""

    network: str  # key of networks.AUTOENCODERS
    quantizer: str  # key of bottleneck.KINDS
    codes: int = 512  # K (N in "Balance of Number of Embedding")
    dimensions: int = 64  # D
    start: str = "k-means"  # key of bottleneck.STARTS: where codebooks begin
    commitment: float = 0.25
    decay: float = 0.99  # gamma of the moving averages of codewords
    sizes: tuple[tuple[int, int], ...] = ()  # adaptive: (N_i, D_i) of each codebook
    beta: float = 1.0  # adaptive and projected codebooks: weight of the quantization terms
    temperature: str = "linear"  # adaptive: the paper's schedule; or exponential, 5 to 0.5
    width: float = 1.0  # lattice: the basis begins as U(-width, width)
    sparsity: float = 1.0  # lattice: gamma of the size term
    rate: float = 1e-3  # of Adam
    rate_decay: float = 1.0  # factor on the learning rate after each epoch
    epochs: int = 5
    batch: int = 64
    low: float = 0.0  # pixels 0 to 255 become low to low + 1 x span
    span: float = 1.0
    flip: bool = False  # random horizontal flips
    quick_steps: int = 300
    quick_batch: int = 8
    weights: str = ""  # released ones, which are measured in place of a training: a file below the folder of the data


@dataclass(frozen=True)
class Claim:
    """What the paper says of a row beside another row of its table: that `metric` is lower, or higher."""

    metric: str  # key of metrics
    than: str  # label of the other row
    lower: bool | None = True  # None: as in the paper's numbers, of each data set


@dataclass(frozen=True)
class Row:
    """A row of a table, on one or several data sets."""

    label: str
    experiment: Experiment
    data: tuple[str, ...]  # keys of datasets.DATASETS
    published: dict[tuple[str, str], float] = field(default_factory=dict)  # (data, metric): the paper's number
    claim: Claim | None = None
    batches: dict[str, int] = field(default_factory=dict)  # of data sets whose batch is another

    def on(self, data: str) -> Experiment:
        """The experiment on one of its data sets."""
        return replace(self.experiment, batch=self.batches.get(data, self.experiment.batch))


@dataclass(frozen=True)
class Table:
    """A table of a paper, or a check that its readers ask for."""

    name: str  # what the command line calls it
    title: str
    paper: str  # title, number, section
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()  # what is ambiguous, and what was chosen
    tsne: bool = False  # its paper shows codebooks by t-SNE

    def row(self, label: str) -> Row:
        """The row of a label."""
        return next(row for row in self.rows if row.label == label)

    def lower(self, row: Row, data: str) -> bool | None:
        """Whether the metric of a row's claim is lower than the other row's; None where the paper has them equal."""
        assert row.claim is not None
        if row.claim.lower is not None:
            return row.claim.lower
        at = (data, row.claim.metric)
        ours, theirs = row.published[at], self.row(row.claim.than).published[at]
        return None if ours == theirs else ours < theirs


@dataclass(frozen=True)
class Budget:
    """How much of the published training and evaluation is done."""

    name: str  # quick, full, or a percentage
    share: float  # of the published steps; of quick, each experiment says its own
    fit_pictures: int  # training pictures whose indices are counted: use, perplexity, frequency tables
    test_pictures: int  # test pictures for errors
    coded_pictures: int  # of these, as many are coded to bytes
    looks: int  # how often a training is looked at on the way

    def steps(self, experiment: Experiment, pictures: int) -> int:
        """Training steps, where an epoch has `pictures` pictures."""
        if self.name == "quick":
            return experiment.quick_steps
        return max(1, round(self.share * experiment.epochs * max(1, pictures // experiment.batch)))

    def batch(self, experiment: Experiment) -> int:
        """Pictures in a step."""
        return experiment.quick_batch if self.name == "quick" else experiment.batch


QUICK = Budget("quick", 0.0, 256, 256, 128, 3)
FULL = Budget("full", 1.0, 60_000, 10_000, 1000, 20)


def part(share: float) -> Budget:
    """A share of the published training, above 0 and below 1, named by its percentage."""
    return Budget(f"{100 * share:g} %", share, 10_000, 2000, 500, 10)


def share_of(budget: str) -> float:
    """The share of the published steps by the name of a budget; 0 for quick."""
    named = {budget.name: budget.share for budget in (QUICK, FULL)}
    return named[budget] if budget in named else float(budget.removesuffix(" %")) / 100

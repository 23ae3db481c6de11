"""Every preset has the hyper-parameters that its paper states; where they are stated is in the test."""

import pytest

from latticecodec.lab.nets.autoencoders import AUTOENCODERS
from latticecodec.lab.papers.bottleneck import KINDS, STARTS
from latticecodec.lab.papers.datasets import DATASETS, UNAVAILABLE
from latticecodec.lab.papers.experiment import FULL, QUICK, part
from latticecodec.lab.papers.tables import TABLES

ROWS = [(table.name, row) for table in TABLES.values() for row in table.rows]


def rows(prefix: str) -> list:  # type: ignore[type-arg]
    return [row for name, row in ROWS if name.startswith(prefix)]


def test_every_row_can_be_built_and_every_claim_has_its_other_row() -> None:
    for table in TABLES.values():
        labels = [row.label for row in table.rows]
        assert len(set(labels)) == len(labels), table.name
        for row in table.rows:
            assert row.experiment.network in AUTOENCODERS
            assert row.experiment.quantizer in KINDS
            assert row.experiment.start in STARTS
            assert set(row.data) <= set(DATASETS) | set(UNAVAILABLE)
            assert row.claim is None or row.claim.than in labels
            assert all(row.claim is None or table.lower(row, data) in (True, False, None) for data in row.data)
            assert {data for data, _ in row.published} <= set(row.data)


def test_there_are_enough_lines() -> None:
    assert sum(len(row.data) for _, row in ROWS) >= 60


@pytest.mark.parametrize("row", rows("ll-"), ids=lambda row: row.label)
def test_ll_vq_vae(row) -> None:  # type: ignore[no-untyped-def]
    e = row.experiment  # arXiv 2310.09382, section 4.1: D = 64, K = 512, commitment 0.25, Adam 1e-3, 5 epochs
    assert (e.dimensions, e.commitment, e.rate, e.epochs) == (64, 0.25, 1e-3, 5)
    assert e.batch == (32 if row.data == ("faces-128",) else 64)  # its code, dataset/*.yaml
    assert e.network == ("strided-4" if row.data == ("faces-128",) else "strided-2")  # hidden_dims there
    assert e.low == (-0.5 if row.data == ("fashion-mnist",) else 0.0)  # Normalize((0.5,), (1.0,)) for Fashion-MNIST


def test_ll_vq_vae_schedules_and_basis() -> None:
    published = TABLES["ll-5"].row("LL-VQ-VAE").experiment
    assert published.rate_decay == 0.0  # config.yaml: scheduler_gamma 0.0
    assert TABLES["ll-5"].row("LL-VQ-VAE, constant rate").experiment.rate_decay == 1.0
    assert published.width == pytest.approx(9.767, abs=5e-4)  # eq. 6; Table 3 prints 9.76
    assert (published.sparsity, published.codes) == (1.0, 512)
    dense = TABLES["ll-5"].row("LL-VQ-VAE (dense)").experiment
    assert (dense.width, dense.sparsity) == (1.0, -1.0)  # dense_lattice.yaml: U(-1, 1), sparsity -1
    ema = TABLES["ll-5"].row("VQ-VAE (EMA)").experiment
    assert (ema.decay, ema.start) == (0.99, "example")
    assert TABLES["ll-5"].row("VQ-VAE").experiment.start == "uniform"  # U(-1/K, 1/K)


def test_ll_vq_vae_checks_of_its_readers() -> None:
    assert {row.experiment.codes for row in TABLES["ll-k"].rows} == {64, 256, 512, 1024}
    assert [row.experiment.sparsity for row in TABLES["ll-gamma"].rows] == [0.001, 0.01, 0.1, 1.0, 1 / 64]
    assert [row.experiment.width for row in TABLES["ll-range"].rows] == [1.0, 5.0, 10.0]


def test_balance() -> None:
    fixed = TABLES["balance-1"].rows
    pairs = [(row.experiment.codes, row.experiment.dimensions) for row in fixed]
    assert pairs[0] == (512, 128)
    assert pairs[-1] == (65536, 1)
    assert len(pairs) == 8
    assert all(codes * dimensions == 65536 for codes, dimensions in pairs)  # Table 1: N x D = 65536
    for row in rows("balance-"):
        e = row.experiment
        assert (e.rate, e.decay, e.low, e.span) == (1e-4, 0.99, -0.5, 1.0)  # Adam 1e-4, EMA 0.99
        assert {data: row.on(data).batch for data in row.data} == {data: BATCHES.get(data, 64) for data in row.data}
    assert {row.experiment.network for row in rows("balance-1")} == {"resnet"}  # section 4: CNN and ResNet
    adaptive = TABLES["balance-2"].row("adaptive").experiment
    assert adaptive.sizes == tuple(pairs)
    assert (adaptive.network, adaptive.commitment, adaptive.beta, adaptive.temperature) == (
        "resnet",
        0.25,
        1.0,
        "linear",
    )


BATCHES = {"tiny-imagenet": 24, "celeba": 2, "diabetic-retinopathy": 1}  # appendix A.1; 64 elsewhere


def test_balance_changes_one_thing_at_a_time() -> None:
    """Table 3: its rows differ from Base in what their names say and in nothing else."""
    base = TABLES["balance-3"].row("Base").experiment
    assert base == TABLES["balance-2"].row("adaptive").experiment
    changed = {
        row.label: {name: value for name, value in vars(row.experiment).items() if value != getattr(base, name)}
        for row in TABLES["balance-3"].rows
    }
    assert {label: change["commitment"] for label, change in changed.items() if label.startswith("alpha")} == {
        f"alpha = {alpha:g}": alpha for alpha in (0.5, 0.75, 1, 5, 10)
    }
    assert {label: change["beta"] for label, change in changed.items() if label.startswith("beta")} == {
        f"beta = {beta:g}": beta for beta in (0.01, 0.2, 5)
    }
    assert changed["CNN"] == {"network": "cnn"}
    assert changed["CNN and Inception"] == {"network": "inception"}
    assert changed["without EMA"] == {"quantizer": "adaptive-gradient", "start": "uniform"}
    for capacity, count in ((32768, 8), (16384, 7), (8192, 7), (4096, 6)):
        (sizes,) = changed[f"W = {capacity}"].values()
        assert {codes * dimensions for codes, dimensions in sizes} == {capacity}
        assert len(sizes) == count  # section 3.1: N is above D
        assert all(codes > dimensions for codes, dimensions in sizes)


@pytest.mark.parametrize("network", ["cnn", "resnet", "inception"])
def test_encoder_and_decoder_of_balance_have_the_same_blocks(network: str) -> None:
    networks = AUTOENCODERS[network](1, 0)
    kinds = ("Residual", "Inception")
    blocks = [
        [type(part).__name__ for part in side if type(part).__name__ in kinds]
        for side in (networks.encoder, networks.decoder)
    ]
    assert blocks[0] == blocks[1] == {"cnn": [], "resnet": ["Residual"] * 2, "inception": ["Inception"] * 2}[network]


def test_rotation() -> None:
    for name in ("rotation-2", "rotation-3", "rotation-ste"):
        for row in TABLES[name].rows:
            e = row.experiment  # section 3.1: CIFAR-10 in [-1, 1], Adam 2e-4, EMA 0.99, D = 256
            assert (e.dimensions, e.rate, e.decay, e.low, e.span, e.batch) == (256, 2e-4, 0.99, -1.0, 2.0, 128)
    assert [row.experiment.codes for row in TABLES["rotation-2"].rows] == [1024, 256, 512, 1024, 2048]
    assert [row.experiment.epochs for row in TABLES["rotation-2"].rows] == [1, 100, 100, 100, 100]
    assert [row.experiment.commitment for row in TABLES["rotation-3"].rows] == [0.1, 0.25, 0.5, 1.0, 2.0]
    assert {(row.experiment.codes, row.experiment.epochs) for row in TABLES["rotation-3"].rows} == {(1024, 50)}


def test_losses_of_the_rotation_add_up_but_for_the_three_rows_that_are_one() -> None:
    """Total loss = reconstruction + (1 + beta) x codebook loss."""
    broken = []
    for row in rows("rotation-2") + rows("rotation-3"):
        numbers = {metric: value for (_, metric), value in row.published.items()}
        for end in [end for end in ("", "_train") if f"total_loss{end}" in numbers]:
            parts = numbers[f"mse_forward{end}"] + (1 + row.experiment.commitment) * numbers[f"codebook_loss{end}"]
            broken += [row.label] if numbers[f"total_loss{end}"] != pytest.approx(parts, abs=2.5e-4) else []
    assert broken == ["Small, K = 256", "Large, K = 1024", "X-Large, K = 2048"]


def test_full_is_the_published_length() -> None:
    e = TABLES["ll-5"].row("LL-VQ-VAE").experiment
    assert FULL.steps(e, 60_000) == 5 * (60_000 // 64)
    assert FULL.batch(e) == 64
    assert QUICK.steps(e, 60_000) == e.quick_steps
    assert part(0.1).steps(e, 60_000) == 468


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=lambda row: row.label)
def test_no_quick_training_is_longer_than_a_tenth(row) -> None:  # type: ignore[no-untyped-def]
    """Epochs are those of the paper's data where other pictures stand in for it."""
    e = row.experiment
    for data in (DATASETS[name] for name in row.data if name in DATASETS):
        pictures = [budget.batch(e) * budget.steps(e, data.published or 50_000) for budget in (QUICK, part(0.1), FULL)]
        assert pictures == sorted(pictures)


def test_rows_that_are_compared_train_on_as_many_pictures() -> None:
    for table in TABLES.values():
        for row in table.rows:
            if row.claim:
                e, other = row.experiment, table.row(row.claim.than).experiment
                assert e.quick_steps * e.quick_batch == other.quick_steps * other.quick_batch
                assert (e.epochs, e.batch) == (other.epochs, other.batch)

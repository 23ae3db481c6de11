"""A training of adaptive codebooks that an attention chooses: its files, its warm start, its temperature."""

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from short_runs import interrupted, of_quantizer, train, trainable

from latticecodec import Codec, load, read_header
from latticecodec.codec import EncodeOptions
from latticecodec.config import PRESETS
from latticecodec.lab.quantizers import TEMPERATURES, AttentiveAdaptiveQuantizer
from latticecodec.lab.training.checkpoint import load_state
from latticecodec.lab.training.kinds.adaptive import AdaptiveModel
from latticecodec.lab.training.quantizer_options import QuantizerOptions
from latticecodec.lab.training.synthetic import synthetic_picture
from latticecodec.zoo import find, read_weights

pytestmark = pytest.mark.usefixtures("one_thread", "small_validation")


@pytest.fixture(scope="module")
def attentive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose attention tells slices apart."""
    folder = tmp_path_factory.mktemp("attentive")
    return train(folder / "run", "adaptive", options=of_quantizer(selection="attention"))


def test_files_hold_the_codebooks_that_the_attention_chooses(attentive: Path) -> None:
    """The plain arg max; and of its codewords that of least cost."""
    info = find(attentive)
    model = trainable(info, QuantizerOptions(selection="attention")).eval()
    assert isinstance(model, AdaptiveModel)
    assert isinstance(model.quantizer, AttentiveAdaptiveQuantizer)
    picture = synthetic_picture(3, 64, 64)
    encoding = load(attentive, device="cpu").encode_detailed(picture, EncodeOptions(quality=100))
    assert (read_header(encoding.data).quantizer, read_header(encoding.data).family) == (3, 1)  # as by cost
    with torch.no_grad():
        rows, _, _ = model.code((picture / 255)[None], 1.0)
        chosen = model.quantizer.selection(model.quantizer.slices(rows)).argmax(2)  # [16, G]
    found = torch.from_numpy(encoding.indices[0]).view(4, 4, 4, 4).permute(0, 2, 1, 3).reshape(16, 16)
    assert float((found == chosen).float().mean()) > 0.98  # a tie in rounding aside


def test_reading_needs_no_attention(attentive: Path, tmp_path: Path) -> None:
    """A model without it decodes the same; its own encoder chooses by cost."""
    info = find(attentive)
    tensors = {name: value for name, value in read_weights(info).items() if "selection" not in name}
    reader, writer = Codec(info.config, tensors), load(attentive, device="cpu")
    data = writer.encode(synthetic_picture(3, 64, 64), quality=80)
    np.testing.assert_array_equal(reader.decode_indices(data), writer.decode_indices(data))
    np.testing.assert_array_equal(np.asarray(reader.decode(data)), np.asarray(writer.decode(data)))
    by_cost = reader.to_indices(synthetic_picture(3, 64, 64), quality=80)
    assert (by_cost != writer.decode_indices(data)).any()


def test_a_warm_start_keeps_the_attention(attentive: Path, tmp_path: Path) -> None:
    frozen = dataclasses.replace(of_quantizer(selection="attention"), steps=1, freeze="transforms", learning_rate=1e-9)
    again = train(tmp_path / "run", "adaptive", options=frozen, init_from=attentive)
    before, after = read_weights(find(attentive)), read_weights(find(again))
    names = [name for name in before if name.startswith("quantizer.selection.")]
    assert len(names) == 7
    for name in names:
        np.testing.assert_allclose(after[name], before[name], atol=1e-5, rtol=1e-5)


def test_with_frozen_transforms_the_attention_learns_from_distances_and_bits() -> None:
    model = AdaptiveModel(AdaptiveModel.configured(PRESETS["lc-test"]), QuantizerOptions(selection="attention"))
    model.freeze("transforms")
    result = model(torch.rand(2, 3, 64, 64), torch.tensor([0.0, 1.0]))
    for part in (result.mse, result.bpp):
        model.zero_grad()
        part.sum().backward(retain_graph=True)
        assert model.quantizer.selection.query.grad.abs().max() > 0


def test_the_prior_learns_what_files_hold() -> None:
    """The plain choice, while noise explores others."""
    torch.manual_seed(0)
    model = AdaptiveModel(AdaptiveModel.configured(PRESETS["lc-test"]), QuantizerOptions(selection="attention"))
    x, t = torch.rand(2, 3, 64, 64), torch.tensor([0.5, 1.0])
    plain = copy.deepcopy(model).eval()(x, t)
    noisy = model(x, t)
    assert not torch.allclose(noisy.x_hat, plain.x_hat)
    torch.testing.assert_close(noisy.bpp, plain.bpp)


def test_the_temperature_of_a_run_falls_over_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    monkeypatch.setitem(TEMPERATURES, "linear", lambda step, steps: seen.append((step, steps)) or 1.0)
    asked = of_quantizer(selection="attention")
    train(tmp_path / "run", "adaptive", options=asked)
    assert seen == [(0, 2), (1, 2)]
    seen.clear()  # weights from before the fall begin to cool down anew, over the steps that they go on for
    more, stable = dataclasses.replace(asked, steps=3), tmp_path / "run" / "stable.pt"
    with interrupted(after=load_state(stable)["step"] + 1):
        train(tmp_path / "more", "adaptive", options=more, resume=stable)
    train(tmp_path / "more", "adaptive", options=more, resume=tmp_path / "more" / "checkpoint.pt")
    assert seen == [(0, 3), (1, 3), (2, 3)]

"""What only a GPU can show; docs/rented_gpu.py runs it where little more than torch, constriction and pytest is there.

Rows on the processor rehearse what needs none.
"""

import numpy as np
import pytest
import torch
from PIL import Image
from recorded_pass import one_pass

import latticecodec
from latticecodec.backends.torch import TorchBackend
from latticecodec.config import PRESETS
from latticecodec.lab.training.accelerate import accelerated
from latticecodec.lab.training.kinds.lattice import LatticeModel
from latticecodec.lab.training.recording import RECORD_AT
from latticecodec.lab.training.soap import Soap
from latticecodec.lab.training.synthetic import synthetic_picture

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
both = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=needs_gpu)])
SIZES = {  # of a picture that each codes, width and height; those with codebooks take longer
    "lattice": (480, 256),  # fewer than the 512 latent positions from which ONNX Runtime predicts symbols
    "lattice-e8": (320, 208),
    "vq": (112, 112),
    "adaptive": (112, 112),
    "rotation": (112, 112),
}


@both
@pytest.mark.parametrize("model", SIZES)
def test_each_decodes_what_the_other_wrote(model: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same indices, pixels within one code value; torch computes on both."""
    monkeypatch.setattr("latticecodec.codec.model.backend_of", TorchBackend)
    width, height = SIZES[model]
    picture = Image.fromarray(synthetic_picture(0, height, width).permute(1, 2, 0).numpy())
    here, there = latticecodec.load(model, "cpu"), latticecodec.load(model, device)
    for writer, reader in ((here, there), (there, here)):
        data = writer.encode(picture, quality=60)
        np.testing.assert_array_equal(reader.decode_indices(data), writer.decode_indices(data))
        difference = np.asarray(reader.decode(data)).astype(int) - np.asarray(writer.decode(data)).astype(int)
        assert np.abs(difference).max() <= 1


@needs_gpu
def test_a_recorded_pass_follows_the_weights() -> None:
    torch.manual_seed(0)
    model = LatticeModel(PRESETS["lc-test"])
    pixels = torch.randint(256, (2, 3, 64, 64), dtype=torch.uint8)
    t = torch.tensor([0.2, 0.7])
    here = [float(value) for value in one_pass(model, torch.device("cpu"))(pixels, t, 5)]
    norms = {name: float(parameter.grad.norm()) for name, parameter in model.named_parameters()}
    cuda = torch.device("cuda")
    with accelerated(model.to(cuda), 64, 2, cuda):
        work = one_pass(model, cuda)
        for _ in range(RECORD_AT + 2):  # the last ones are replayed
            there = [float(value) for value in work(pixels, t, 5)]
        assert there == pytest.approx(here, rel=0.05)  # other noise, bfloat16
        for name, parameter in model.named_parameters():
            assert float(parameter.grad.norm()) == pytest.approx(norms[name], rel=0.5, abs=1e-4), name
        with torch.no_grad():
            model.synthesis.leave.bias += 0.5
        assert float(work(pixels, t, 5)[2]) > 2 * there[2]


@both
def test_moves_that_are_recorded_are_those_of_the_processor(device: str) -> None:
    def run(where: str) -> list[torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        weights = [torch.nn.Parameter(torch.ones(5, 3, device=where)) for _ in range(2)]
        weights.append(torch.nn.Parameter(torch.ones(5, device=where)))
        for weight in weights:
            weight.grad = torch.zeros_like(weight)  # written to in place, as a recorded pass does
        optimiser = Soap([{"params": weights}], lr=0.01, refresh=40)
        for step in range(2 * RECORD_AT):
            optimiser.param_groups[0]["lr"] = 0.01 / (1 + step)
            for weight in weights:
                weight.grad.copy_(torch.randn(weight.shape, generator=generator))
            optimiser.step()
        return [weight.detach().cpu() for weight in weights]

    for there, here in zip(run(device), run("cpu"), strict=True):
        torch.testing.assert_close(there, here, rtol=1e-3, atol=1e-4)

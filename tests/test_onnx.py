"""The networks on ONNX Runtime: what torch makes of the same weights, gradients included."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from latticecodec.backends import processors as of_processors
from latticecodec.backends.graph import Graph
from latticecodec.backends.networks import NETWORKS, Tensors
from latticecodec.backends.onnx import OnnxBackend
from latticecodec.backends.perceptual_msssim import _session as of_ms_ssim
from latticecodec.backends.perceptual_ssimulacra2 import _session as of_ssimulacra2
from latticecodec.backends.processors import processors
from latticecodec.backends.protobuf import Shape
from latticecodec.backends.reference import OPERATORS
from latticecodec.backends.session import Session
from latticecodec.backends.shapes import network_shapes
from latticecodec.config import PRESETS, ModelConfig
from latticecodec.entropy.coder import Float32
from latticecodec.errors import ModelError
from latticecodec.lab.distortion import DISTORTIONS
from latticecodec.lab.nets import Analysis, HyperAnalysis, Synthesis
from latticecodec.zoo import find, read_weights

TINY = PRESETS["lc-test"]
ODD = ModelConfig(  # no width is a multiple of the 8 or 16 that convolutions on processors like, groups are small
    latents=20, width8=36, width16=28, analysis_blocks=(2, 1), synthesis_blocks=(1, 2), group=4, hyper_width=12,
    hyper_latents=5,
)  # fmt: skip
CONFIGS = {"tiny": TINY, "odd": ODD}
NETS = {"analysis": Analysis, "synthesis": Synthesis, "hyper_analysis": HyperAnalysis}
SIZES = [(1, 1), (1, 5), (3, 2), (7, 9)]  # latent positions


def of_torch(config: ModelConfig) -> dict[str, torch.nn.Module]:
    """Networks with weights that are nowhere zero."""
    torch.manual_seed(0)
    networks = {name: network(config) for name, network in NETS.items()}
    for parameter in (each for network in networks.values() for each in network.parameters()):
        parameter.data += 0.05 * torch.randn_like(parameter)
    return networks


def tensors_of(networks: dict[str, torch.nn.Module]) -> dict[str, Float32]:
    states = {name: network.state_dict() for name, network in networks.items()}
    return {f"{name}.{key}": value.numpy() for name, state in states.items() for key, value in state.items()}


@pytest.fixture(scope="module", params=sorted(CONFIGS))
def pair(request: pytest.FixtureRequest) -> tuple[dict[str, torch.nn.Module], OnnxBackend]:
    """The same weights, untrained, on torch and on ONNX Runtime."""
    networks = of_torch(CONFIGS[request.param])
    return networks, OnnxBackend(CONFIGS[request.param], tensors_of(networks), threads=1)


@pytest.fixture(scope="module")
def shipped() -> tuple[dict[str, torch.nn.Module], OnnxBackend]:
    """The same for `lattice`."""
    info = find("lattice-1")
    tensors = {key: np.asarray(value) for key, value in read_weights(info).items()}
    networks = {name: network(info.config) for name, network in NETS.items()}
    for name, network in networks.items():
        own = {k.removeprefix(f"{name}."): torch.from_numpy(v) for k, v in tensors.items() if k.startswith(f"{name}.")}
        network.load_state_dict(own)
    return networks, OnnxBackend(info.config, tensors, threads=1)


def close(ours: Float32, theirs: torch.Tensor, tolerance: float) -> bool:
    """Whether the largest difference is within a share of the largest value."""
    expected = theirs.detach().numpy()
    return ours.shape == expected.shape and float(np.abs(ours - expected).max() / np.abs(expected).max()) < tolerance


@torch.no_grad()
def compare(networks: dict[str, torch.nn.Module], ours: OnnxBackend, height: int, width: int) -> None:
    config, t = ours.config, torch.tensor([0.3])
    x = torch.rand(3, 16 * height, 16 * width)
    assert close(ours.analysis(x.numpy()), networks["analysis"](x[None])[0], 1e-5)
    y_hat = 2 * torch.randn(config.latents, height, width)
    assert close(ours.synthesis(y_hat.numpy(), 0.3), networks["synthesis"](y_hat[None], t)[0], 1e-5)
    u = torch.randn(config.latents, 4 * height, 4 * width)
    assert close(ours.hyper_analysis(u.numpy()), networks["hyper_analysis"](u[None])[0], 1e-5)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_networks_give_what_torch_gives(
    pair: tuple[dict[str, torch.nn.Module], OnnxBackend], height: int, width: int
) -> None:
    torch.manual_seed(1)
    compare(*pair, height, width)


def test_so_do_those_that_ship(shipped: tuple[dict[str, torch.nn.Module], OnnxBackend]) -> None:
    torch.manual_seed(2)
    compare(*shipped, 3, 5)


def gradient_of_torch(
    synthesis: torch.nn.Module, config: ModelConfig, y_hat: torch.Tensor, t: float, x: torch.Tensor, tune: str
) -> torch.Tensor:
    part = y_hat[None].clone().requires_grad_(True)
    x_hat = synthesis(part, torch.tensor([t]))[:, :, : x.shape[1], : x.shape[2]]
    bits = DISTORTIONS[tune](x_hat, x[None], config.rate_weight(t))
    (gradient,) = torch.autograd.grad(bits, part)
    return gradient[0]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 2)])
@pytest.mark.parametrize("missing", [0, 1, 15])
def test_the_gradient_of_squared_error(
    pair: tuple[dict[str, torch.nn.Module], OnnxBackend], height: int, width: int, missing: int
) -> None:
    networks, ours = pair
    torch.manual_seed(3)
    y_hat, x = torch.randn(ours.config.latents, height, width), torch.rand(3, 16 * height - missing, 16 * width)
    theirs = gradient_of_torch(networks["synthesis"], ours.config, y_hat, 0.7, x, "psnr")
    assert close(ours.distortion_step(y_hat.numpy(), 0.7, x.numpy(), "psnr"), theirs, 1e-4)


def test_the_gradient_of_the_model_that_ships(shipped: tuple[dict[str, torch.nn.Module], OnnxBackend]) -> None:
    networks, ours = shipped
    torch.manual_seed(4)
    x = torch.rand(3, 45, 33)
    y_hat = torch.from_numpy(ours.analysis(np.ones((3, 48, 48), np.float32))).round()
    theirs = gradient_of_torch(networks["synthesis"], ours.config, y_hat, 0.5, x, "psnr")
    assert close(ours.distortion_step(y_hat.numpy(), 0.5, x.numpy(), "psnr"), theirs, 1e-4)


@pytest.mark.parametrize("tune", ["ms-ssim", "ssimulacra2"])
def test_the_gradient_of_what_eyes_see(pair: tuple[dict[str, torch.nn.Module], OnnxBackend], tune: str) -> None:
    networks, ours = pair
    torch.manual_seed(5)
    y_hat = torch.randn(ours.config.latents, 11, 12)
    with torch.no_grad():
        x = networks["synthesis"](y_hat[None] + 0.1, torch.tensor([0.7]))[0, :, :165, :190].clamp(0, 1)
    theirs = gradient_of_torch(networks["synthesis"], ours.config, y_hat, 0.7, x, tune)
    assert close(ours.distortion_step(y_hat.numpy(), 0.7, x.numpy(), tune), theirs, 1e-3)


def test_a_backend_leaves_what_it_is_given(pair: tuple[dict[str, torch.nn.Module], OnnxBackend]) -> None:
    y_hat = np.ones((pair[1].config.latents, 2, 2), np.float32)
    for _ in range(2):
        pair[1].synthesis(y_hat, 0.5)
    assert (y_hat == 1).all()


def test_the_shapes_are_those_of_the_networks() -> None:
    for config in (TINY, ODD, PRESETS["lc-m"]):
        with torch.device("meta"):
            networks = {name: network(config) for name, network in NETS.items()}
        states = {name: network.state_dict() for name, network in networks.items()}
        expected = {f"{name}.{key}": tuple(own[key].shape) for name, own in states.items() for key in own}
        assert network_shapes(config) == expected


def test_graphs_are_well_formed(pair: tuple[dict[str, torch.nn.Module], OnnxBackend]) -> None:
    networks, ours = pair
    for name, make in NETWORKS.items():
        part = "synthesis" if name.endswith("gradient") else name
        own: Tensors = {key: value.numpy() for key, value in networks[part].state_dict().items()}
        check(make(ours.config, own))


def test_so_are_those_of_what_eyes_see() -> None:
    for session in (of_ssimulacra2(1), of_ms_ssim(False, 1), of_ms_ssim(True, 1)):
        check(session._graph)


def check(graph: Graph) -> None:
    """A graph by the rules of the package onnx, shapes included."""
    model = onnx.load_from_string(graph.model())
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:  # the values are handed over in memory
            tensor.data_location, size = onnx.TensorProto.DEFAULT, int(np.prod(tensor.dims))
            tensor.ClearField("external_data")
            tensor.raw_data = bytes(4 * size)
    onnx.checker.check_model(model, full_check=True)


def test_a_network_is_made_when_it_is_used(pair: tuple[dict[str, torch.nn.Module], OnnxBackend]) -> None:
    ours = OnnxBackend(pair[1].config, tensors_of(pair[0]), threads=1)
    made = []

    def use() -> None:
        made.append(ours.synthesis(np.zeros((ours.config.latents, 1, 1), np.float32), 0.5))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(each, made[0]) for each in made)
    assert list(ours._sessions) == ["synthesis"]


@pytest.mark.parametrize("network", list(NETWORKS))
def test_a_graph_tells_the_shape_of_all_that_its_nodes_make(
    pair: tuple[dict[str, torch.nn.Module], OnnxBackend], network: str
) -> None:
    """What ONNX Runtime knows to be of one shape it adds in the layout of its convolutions."""
    part = "synthesis." if network.endswith("gradient") else f"{network}."
    own = {key.removeprefix(part): value for key, value in tensors_of(pair[0]).items() if key.startswith(part)}
    graph = NETWORKS[network](pair[1].config, own)
    known = onnx.load_model_from_string(graph.model()).graph.value_info
    told = {each.name: [side.dim_param or side.dim_value for side in each.type.tensor_type.shape.dim] for each in known}
    values = graph.constants | {name: np.zeros(length(shape), np.float32) for name, shape in graph.inputs.items()}
    for node in graph.nodes:
        values[node.output] = OPERATORS[node.operator](*(values[name] for name in node.inputs), **node.attributes)
    assert {name: length(shape) for name, shape in told.items()} == {
        node.output: list(values[node.output].shape) for node in graph.nodes if node.output not in graph.outputs
    }


def length(shape: Shape) -> list[int]:
    """A shape for h = 2 and w = 3."""
    return [side if isinstance(side, int) else int(side[:-1] or 1) * {"h": 2, "w": 3}[side[-1]] for side in shape]


def test_tensors_that_do_not_fit(pair: tuple[dict[str, torch.nn.Module], OnnxBackend]) -> None:
    tensors = tensors_of(pair[0])
    with pytest.raises(ModelError, match=r"\(tensor synthesis.up.bias should have shape \(\d+,\), has None\)"):
        OnnxBackend(pair[1].config, {key: value for key, value in tensors.items() if key != "synthesis.up.bias"})
    with pytest.raises(ModelError, match=r"\(tensor analysis.more should have shape None, has \(3,\)\)"):
        OnnxBackend(pair[1].config, tensors | {"analysis.more": np.zeros(3, np.float32)})


def test_the_self_test_notices_what_is_computed_wrongly(
    pair: tuple[dict[str, torch.nn.Module], OnnxBackend], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Session.__call__
    monkeypatch.setattr(Session, "__call__", lambda self, **inputs: [1.01 * out for out in run(self, **inputs)])
    ours = OnnxBackend(pair[1].config, tensors_of(pair[0]), threads=1)
    with pytest.raises(ModelError, match="self-test of its synthesis fails on this processor"):
        ours.synthesis(np.zeros((ours.config.latents, 1, 1), np.float32), 0.5)


def test_threads_are_those_that_the_process_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = tmp_path / "cpu.max"
    monkeypatch.setattr(of_processors, "QUOTA", quota)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert processors() == 8
    quota.write_text("max 100000\n")
    assert processors() == 8
    quota.write_text("250000 100000\n")
    assert processors() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert processors() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert processors() == 3


def test_neither_torch_nor_onnx_is_imported() -> None:
    program = """
import sys
import numpy as np
import latticecodec.backends.onnx
from latticecodec.backends.perceptual import GRADIENTS
for gradient in GRADIENTS.values():
    gradient(*np.ones((2, 3, 161, 161), np.float32), 1, 1)
sys.exit(bool({"torch", "onnx"} & sys.modules.keys()))
"""
    subprocess.run([sys.executable, "-c", program], check=True)

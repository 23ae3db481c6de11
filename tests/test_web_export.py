"""What web/export.py makes of a model is all that a page needs of it, under names that say what is in them."""

import base64
import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from latticecodec import Codec, load
from latticecodec.backends.graph import Graph
from latticecodec.entropy.hyper import fixed_integers
from latticecodec.entropy.integer import Context
from latticecodec.lab.tensors import as_tensors
from latticecodec.lab.training.export import write_model
from latticecodec.weights import part
from latticecodec.zoo import find, read_weights

WEB = Path(__file__).parent.parent / "web"


@pytest.fixture
def export(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """web/export.py, which is no part of the package."""
    monkeypatch.syspath_prepend(str(WEB))
    return __import__("export")


def run(data: bytes, **inputs: np.ndarray) -> np.ndarray:
    """What a file of ONNX gives."""
    (out,) = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(None, inputs)
    return out


def test_a_model_is_exported_whole(export: ModuleType, tiny_model: Path, tiny: Codec, tmp_path: Path) -> None:
    export.export_all(tmp_path, (str(tiny_model),))
    (listed,) = json.loads((tmp_path / "models.json").read_text())
    assert listed == {"name": tiny.config.name, "digest": tiny.digest.hex(), "quantizer": "lattice"}
    described = json.loads((tmp_path / f"{listed['digest']}.json").read_text())
    assert described["config"] == json.loads((tiny_model / "config.json").read_text())
    files = described["files"]
    assert set(files) == {"tensors", "product", "context", "synthesis", "analysis", "hyper_analysis"}
    for row in files.values():
        digest = hashlib.sha256((tmp_path / row["file"]).read_bytes())
        assert row["file"].startswith(digest.hexdigest()[:16])
        assert row["integrity"] == f"sha256-{base64.b64encode(digest.digest()).decode()}"
    own = load_file(tmp_path / files["tensors"]["file"])
    weights = read_weights(find(tiny_model))
    assert set(own) == {name for name in weights if name.startswith(("prior.", "quantizer."))}
    assert all((own[name] == weights[name]).all() for name in own)
    y_hat = np.linspace(-3, 3, 32 * 2 * 3, dtype=np.float32).reshape(1, 32, 2, 3)  # [1, M, h, w]
    t = np.full((1, 1, 1, 1), 0.5, np.float32)
    found = run((tmp_path / files["synthesis"]["file"]).read_bytes(), y_hat=y_hat, t=t)[0]
    assert np.abs(found - tiny.model.backend.synthesis(y_hat[0], 0.5)).max() < 1e-5
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(12, dtype=np.float32).reshape(3, 4)
    assert (run((tmp_path / files["product"]["file"]).read_bytes(), a=a, b=b) == a @ b).all()


def test_the_context_network_is_given_the_layers_of_a_step(
    export: ModuleType, tiny_model: Path, tiny: Codec, tmp_path: Path
) -> None:
    """What numpy makes of them, to the last bit, for each group of channels at the place of its symbols."""
    export.export_all(tmp_path, (str(tiny_model),))
    described = json.loads((tmp_path / f"{tiny.digest.hex()}.json").read_text())
    data = (tmp_path / described["files"]["context"]["file"]).read_bytes()
    context = Context(tiny.config, part("prior", read_weights(find(tiny_model))))
    inputs = fixed_integers((context.adaptors[0].weight.shape[1], 5, 7), 127).astype(np.float32)  # [M + F, h, w]
    ranks = [0, 2, 3, 1]  # of the positions of a cell
    for step in range(4):
        layers = {"enter": context.adaptors[step]}
        layers |= {f"leave{place}": context.leave[rank ^ step] for place, rank in enumerate(ranks)}
        given = {name: layer.weight[:, :, None, None] for name, layer in layers.items()}
        given |= {f"{name}.bias": layer.bias[:, 0] for name, layer in layers.items()}
        found = onnxruntime.InferenceSession(data).run(None, {"inputs": inputs[None]} | given)
        for group, expected in enumerate(context.leaving(inputs, step)):
            assert (found[ranks.index(group ^ step)].reshape(expected.shape) == expected).all()


def test_models_share_what_they_have_in_common(export: ModuleType, tiny_e8: Path, tmp_path: Path) -> None:
    """An E8 twin has the networks of its lattice: a browser that has those fetches the prior alone."""
    export.export_all(tmp_path, (str(tiny_e8.parent / "lattice"), str(tiny_e8)))
    files = [
        json.loads((tmp_path / f"{row['digest']}.json").read_text())["files"]
        for row in json.loads((tmp_path / "models.json").read_text())
    ]
    assert {name for name in files[0] if files[0][name] != files[1][name]} == {"tensors"}


def test_additions_of_low_rank_are_stored_apart_and_draw_the_same(
    export: ModuleType, tiny_model: Path, tiny: Codec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Added up, the weights would need 32 bits each, and a page twice the time to fetch them."""
    monkeypatch.setattr("latticecodec.zoo.models_path", [tmp_path])
    shutil.copytree(tiny_model, tmp_path / "lattice")
    random = np.random.default_rng(1)
    tensors = {"base.sha256": np.frombuffer(bytearray.fromhex(tiny.config.weights_sha256), np.uint8)}
    for name, whole in read_weights(find(tiny_model)).items():
        if name.endswith(".weight") and not name.startswith("prior."):
            out, inner = whole.shape
            tensors[f"{name}.left"] = random.normal(0, 0.1, (out, 2)).astype(np.float16)
            tensors[f"{name}.right"] = random.normal(0, 0.1, (2, inner)).astype(np.float16)
    config = dataclasses.replace(tiny.config, name="tuned", base="lattice")
    write_model(tmp_path / "tuned", config, as_tensors(tensors), "", config.prior_sha256)
    export.export_all(tmp_path / "out", (str(tmp_path / "lattice"), str(tmp_path / "tuned")))
    base, tuned = (
        json.loads((tmp_path / "out" / f"{row['digest']}.json").read_text())["files"]
        for row in json.loads((tmp_path / "out" / "models.json").read_text())
    )
    y_hat = np.linspace(-3, 3, 32 * 2 * 3, dtype=np.float32).reshape(1, 32, 2, 3)  # [1, M, h, w]
    inputs = {"synthesis": {"y_hat": y_hat, "t": np.full((1, 1, 1, 1), 0.5, np.float32)}}
    inputs["analysis"] = {"x": np.linspace(0, 1, 3 * 32 * 48, dtype=np.float32).reshape(1, 3, 32, 48)}
    backend = load(tmp_path / "tuned", device="cpu").model.backend
    expected = {"synthesis": backend.synthesis(y_hat[0], 0.5), "analysis": backend.analysis(inputs["analysis"]["x"][0])}
    for network, given in inputs.items():
        before, after = ((tmp_path / "out" / files[network]["file"]).read_bytes() for files in (base, tuned))
        assert len(after) < 1.5 * len(before)
        assert np.abs(run(after, **given)[0] - expected[network]).max() < 1e-5
        assert np.abs(run(before, **given)[0] - expected[network]).max() > 1e-3


def test_weights_that_16_bits_do_not_hold_keep_32() -> None:
    for value, inside in ((0.5, "float16"), (0.1, "float32")):
        graph = Graph()
        exact = np.full((1, 64), value, np.float32)
        graph.output(graph.add("Add", graph.input("x", 1, 64), graph.constant(exact)), 1, 64)
        data = graph.file()
        assert (run(data, x=np.zeros((1, 64), np.float32)) == exact).all()
        assert exact.astype(inside).tobytes() in data


def listed(folder: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads((folder / "models.json").read_text())
    return rows


def test_a_model_is_added_to_those_of_a_folder(
    export: ModuleType, tiny_model: Path, tiny_e8: Path, tmp_path: Path
) -> None:
    first, second = str(tiny_model), str(tiny_e8)
    export.export_all(tmp_path, (first,))
    (row,) = listed(tmp_path)
    export.export_all(tmp_path, (second,))
    added, *others = listed(tmp_path)
    assert (added["digest"], others) == (find(tiny_e8).digest.hex(), [row])
    export.export_all(tmp_path, (first,))
    assert listed(tmp_path) == [row, added]  # once, and before what was there: of one name the last counts


def command(export: ModuleType, *arguments: object) -> tuple[int, str]:
    """Exit code of the command, and the last line that it prints."""
    done = CliRunner().invoke(export.main, [str(each) for each in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.exit_code, done.output.splitlines()[-1]


def test_bad_input_is_one_line_and_nothing_is_written(export: ModuleType, tiny_model: Path, tmp_path: Path) -> None:
    out, damaged = tmp_path / "out", tmp_path / "damaged"
    shutil.copytree(tiny_model, damaged)
    with (damaged / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    code, line = command(export, out, "marble")
    assert code == 1
    assert line.startswith("Error: unknown model 'marble': not a folder, and not one of ")
    code, line = command(export, out, tiny_model, damaged)
    assert code == 1
    assert line.startswith(f"Error: {damaged}/model.safetensors: ")
    assert not out.exists()
    (tmp_path / "file").write_text("x")
    assert command(export, tmp_path / "file" / "out", tiny_model)[0] == 1
    assert command(export)[0] == 2
    assert command(export, tmp_path / "file", tiny_model)[0] == 2


@pytest.mark.parametrize("text", ["{}x", "[1]", '[{"name": "lattice"}]', "null"])
def test_a_list_that_is_none_is_not_replaced(export: ModuleType, tiny_model: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "models.json").write_text(text)
    line = f"Error: {tmp_path}/models.json: is no list of models; name another folder"
    assert command(export, tmp_path, tiny_model) == (1, line)
    assert [path.name for path in tmp_path.iterdir()] == ["models.json"]
    assert (tmp_path / "models.json").read_text() == text


def test_help_says_what_is_written(export: ModuleType) -> None:
    done = CliRunner().invoke(export.main, ["--help"])
    assert done.exit_code == 0
    assert "OUT [MODEL]..." in done.output
    assert "those that are there stay" in " ".join(done.output.split())

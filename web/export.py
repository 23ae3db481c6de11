"""Models for the page: `python web/export.py OUT [MODEL...]` adds those named, by default all that are installed.

OUT/models.json lists all that are there: name, digest and quantizer, those added last first. OUT/<digest>.json has of
one its config.json and its files, which are named by what is in them, so that models share those that they have in
common:

    tensors            those of the prior and of the quantizer, merged with those of the base, as safetensors
    synthesis, ...     the networks as ONNX, with weights of 16 bits where these lose nothing, low-rank additions apart
    product            the matrix product that the prior's layers are made of, as ONNX
    context            the context network of lattices for all but small pictures, as ONNX
"""

import base64
import dataclasses
import hashlib
import json
from pathlib import Path

import click
import numpy as np
from latticecodec.cli.messages import is_expected, on_one_line, printable, told, warnings_as_lines
from safetensors.numpy import save

from latticecodec import ModelError, load
from latticecodec.backends.graph import Graph, Sum
from latticecodec.backends.networks import NETWORKS
from latticecodec.backends.prior import context_graph
from latticecodec.entropy.integer import Context
from latticecodec.lowrank import LEFT, RIGHT
from latticecodec.outputs import write_file
from latticecodec.weights import Array, part
from latticecodec.zoo import ModelInfo, base_of, find, list_models, read_low_rank, read_weights

LIST = "models.json"
NEEDED = ("analysis", "hyper_analysis", "synthesis")  # of NETWORKS
LATTICES = ("lattice", "lattice-e8")  # quantizers
SHARED = ("quantizer.codebooks", "quantizer.log_basis")  # beside the prior; the rest is for other encoders


def export(info: ModelInfo, out: Path) -> None:
    """Write a sound model."""
    tensors = read_weights(info)
    own = {name: value for name, value in tensors.items() if name.startswith("prior.") or name in SHARED}
    files = {"tensors": _write(out, save(own), "safetensors"), "product": _write(out, _product().file(), "onnx")}
    if info.config.quantizer in LATTICES:
        files["context"] = _write(out, _context(info, tensors).file(), "onnx")
    sums = _sums(info) if info.config.base else {}
    for network in NEEDED:
        weights = {name: value.astype(np.float32) for name, value in part(network, tensors).items()}
        graph = NETWORKS[network](info.config, weights)
        for name, parts in part(network, sums).items():
            of_it = [each for each, values in graph.constants.items() if np.may_share_memory(values, weights[name])]
            graph.sums |= dict.fromkeys(of_it, parts)
        files[network] = _write(out, graph.file(), "onnx")
    described = {"config": dataclasses.asdict(info.config), "files": files}
    (out / f"{info.digest.hex()}.json").write_text(json.dumps(described) + "\n", encoding="utf-8")


def _sums(info: ModelInfo) -> dict[str, Sum]:
    """Tensors with low-rank additions as what they are sums of, which has 16 bits a number; by name."""
    base = read_weights(base_of(info))
    own = {name: value.astype(np.float32) for name, value in read_low_rank(info).items()}
    names = {name.removesuffix(LEFT) for name in own if name.endswith(LEFT)}
    return {name: Sum(base[name].astype(np.float32), own[name + LEFT], own[name + RIGHT]) for name in names}


def _product() -> Graph:
    """a [M, K] and b [K, N] -> their matrix product [M, N]."""
    graph = Graph()
    graph.output(graph.add("MatMul", graph.input("a", "m", "k"), graph.input("b", "k", "n")), "m", "n")
    return graph


def _context(info: ModelInfo, tensors: dict[str, Array]) -> Graph:
    """The same integers as numpy's, see backends/prior.py."""
    return context_graph(Context(info.config, part("prior", tensors)))


def _write(out: Path, data: bytes, suffix: str) -> dict[str, str]:
    """Name of the file that has these bytes, and how a browser checks them."""
    digest = hashlib.sha256(data)
    name = f"{digest.hexdigest()[:16]}.{suffix}"
    (out / name).write_bytes(data)
    return {"file": name, "integrity": f"sha256-{base64.b64encode(digest.digest()).decode()}"}


def export_all(out: Path, models: tuple[str, ...]) -> None:
    """Add models, by name or folder, to those that are there; where one is damaged, raises ModelError and adds none."""
    infos = [find(Path(model) if Path(model).is_dir() else model) for model in models] or list_models()
    for info in infos:
        load(info.folder, device="cpu")  # with its self-tests
    before = _listed(out)
    out.mkdir(parents=True, exist_ok=True)
    for info in infos:
        export(info, out)
    rows = {info.digest.hex(): {"name": info.name, "quantizer": info.config.quantizer} for info in infos}
    rows |= {row["digest"]: row for row in before if row["digest"] not in rows}
    listed = [{"name": row["name"], "digest": digest, "quantizer": row["quantizer"]} for digest, row in rows.items()]
    text = json.dumps(listed, indent=2) + "\n"
    write_file(out / LIST, lambda file: file.write(text.encode()), overwrite=True)


def _listed(out: Path) -> list[dict[str, str]]:
    """The models of a folder; raises ModelError where what should list them does not."""
    path = out / LIST
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [{name: str(row[name]) for name in ("name", "digest", "quantizer")} for row in rows]
    except (ValueError, TypeError, LookupError):
        raise ModelError(f"{path}: is no list of models; name another folder") from None


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.argument("models", metavar="[MODEL]...", nargs=-1)
def main(out: Path, models: tuple[str, ...]) -> None:
    """Add models to the folder OUT, from which the page in web/ fetches them; those that are there stay.

    MODEL is the name of an installed model, or the folder of one, as lcodec train writes it; without any, all that are
    installed are added.
    """
    try:
        with warnings_as_lines():
            export_all(out, models)
    except Exception as error:
        if not is_expected(error):
            raise
        raise click.ClickException(on_one_line(printable(told(error)))) from None


if __name__ == "__main__":
    main()

"""Files decode to the same indices under every CPU configuration, and to pixels within one code value.

Each configuration is a process of its own. All of them encode; then all of them decode all files.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latticecodec.config import PATCH
from latticecodec.entropy.integer import LARGE

ON_TORCH = """
import torch
from latticecodec.backends.torch import TorchBackend
from latticecodec.codec import model
model.backend_of = TorchBackend
"""
OLD_CPU = {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
NEEDS = {"numpy on AVX2": "avx2", "numpy on AVX-512": "avx512f"}  # which OpenBLAS takes for granted when it is told so
EVERY: dict[str, tuple[dict[str, str], str]] = {
    "default": ({}, ""),
    "one thread": ({"OMP_NUM_THREADS": "1"}, ""),
    "two threads": ({"OMP_NUM_THREADS": "2"}, ""),
    "numpy on SSE4.2": ({"OPENBLAS_CORETYPE": "Nehalem"}, ""),
    "numpy on AVX2": ({"OPENBLAS_CORETYPE": "Haswell"}, ""),
    "numpy on AVX-512": ({"OPENBLAS_CORETYPE": "SkylakeX"}, ""),
    "torch": ({}, ON_TORCH),
    "torch on SSE4": (OLD_CPU, ON_TORCH),
    "torch on AVX2": ({"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}, ON_TORCH),
    "torch without oneDNN": ({}, ON_TORCH + "torch.backends.mkldnn.set_flags(False)"),
    "torch at medium precision": ({}, ON_TORCH + "torch.set_float32_matmul_precision('medium')"),
    "torch inside autocast": ({}, ON_TORCH + "torch.autocast('cpu', torch.bfloat16).__enter__()"),
}
FACTS = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
CONFIGURATIONS = {name: row for name, row in EVERY.items() if name not in NEEDS or NEEDS[name] in FACTS}

MODELS = {  # and the width and height of the picture's corner that each codes; those with codebooks take longer
    "lattice": (512, 256),  # from 512 latent positions on an engine predicts the symbols, not numpy
    "lattice-e8": (320, 208),
    "vq": (112, 112),
    "adaptive": (112, 112),
    "rotation": (112, 112),
}

ENCODE = """
import sys, latticecodec
{setup}
for path in sys.argv[1:]:
    folder, model = path.rsplit("/", 1)[0], path.split("/")[-2]
    open(path, "wb").write(latticecodec.load(model, "cpu").encode(folder + "/photo.png", quality=60))
"""

DECODE = """
import json, sys, numpy, latticecodec
from latticecodec.codec import indices_sha256
{setup}
hashes, pixels = {{}}, {{}}
for path in sys.argv[2:]:
    model = path.split("/")[-2]
    codec, data = latticecodec.load(model, "cpu"), open(path, "rb").read()
    hashes[path] = indices_sha256(codec.decode_indices(data))
    pixels[model] = data
pictures = [latticecodec.decode(data, device="cpu") for data in pixels.values()]
numpy.save(sys.argv[1], numpy.concatenate([numpy.ravel(picture) for picture in pictures]))
print(json.dumps(hashes))
"""


def run(script: str, name: str, *arguments: str) -> str:
    """Run a script under a configuration; returns what it printed."""
    environment, setup = CONFIGURATIONS[name]
    command = [sys.executable, "-c", script.format(setup=setup), *arguments]
    result = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def files(photo: Image.Image, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The photo, encoded with every model under every configuration, in a folder for each model: no two files alike."""
    folder = tmp_path_factory.mktemp("files")
    written: dict[bytes, str] = {}
    assert math.prod(side // PATCH for side in MODELS["lattice"]) >= LARGE
    for model, size in MODELS.items():
        (folder / model).mkdir()
        whole = photo.resize((512, 333)) if size > photo.size else photo
        whole.crop((0, 0, *size)).save(folder / model / "photo.png")
    for name in CONFIGURATIONS:
        paths = [str(folder / model / f"{name}.lcq") for model in MODELS]
        run(ENCODE, name, *paths)
        for path in paths:
            written.setdefault(Path(path).read_bytes(), path)
    return list(written.values())


@pytest.fixture(scope="module")
def reference(files: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], np.ndarray]:
    """Index hashes of all files, and the pixels of each model's last, in the default configuration."""
    path = tmp_path_factory.mktemp("pixels") / "default.npy"
    return json.loads(run(DECODE, "default", str(path), *files)), np.load(path)


@pytest.mark.parametrize("name", list(CONFIGURATIONS))
def test_same_indices_and_pixels(
    name: str, files: list[str], reference: tuple[dict[str, str], np.ndarray], tmp_path: Path
) -> None:
    hashes = json.loads(run(DECODE, name, str(tmp_path / "pixels.npy"), *files))
    assert hashes == reference[0]
    difference = np.abs(np.load(tmp_path / "pixels.npy").astype(int) - reference[1].astype(int))
    assert difference.max() <= 1

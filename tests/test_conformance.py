"""Frozen files of tests/conformance: what they decode to is the same for ever, under every CPU configuration."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from test_determinism import CONFIGURATIONS, run

import latticecodec
from latticecodec import LcqError, load, read_header

FOLDER = Path(__file__).parent / "conformance"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
FILES, INVALID = MANIFEST["files"], MANIFEST["invalid"]
MODEL = ("model.safetensors", "config.json")
# The first so many files and invalid ones, and the digest of their rows and of the 5 models. What is added comes behind
# them and needs no line here; one with the new numbers freezes it.
FROZEN = (
    (75, 46, "28421db3b212d1d5d5a58a096116bd339e975f405027115e213d861f549fafa5"),  # 1.1
    (105, 61, "6f107625fc9bfef874bd7c989695d2030cc6aacf203160cba3e5063acb4884a8"),  # 1.2
)

DECODE = """
import json, sys, numpy, torch, latticecodec
from latticecodec.codec import indices_sha256
{setup}
folder, out = sys.argv[1:]
hashes, pixels = {{}}, {{}}
for row in json.load(open(folder + "/manifest.json"))["files"]:
    codec = latticecodec.load(folder + "/models/" + row["model"], "cpu")
    data = open(folder + "/" + row["file"], "rb").read()
    hashes[row["file"]] = indices_sha256(codec.decode_indices(data))
    pixels[row["pixels"]] = codec.decode(data, as_array=True)
numpy.savez(out, **pixels)
print(json.dumps(hashes))
"""


def sha256(name: str) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()


def test_nobody_changed_a_file() -> None:
    """Models, files and pictures are what the manifest says, and no others lie there."""
    for row in MANIFEST["models"]:
        assert sha256(f"models/{row['name']}/model.safetensors") == row["sha256"]
    for row in FILES + INVALID:
        assert sha256(row["file"]) == row["sha256"], row["file"]
    for row in FILES:
        assert sha256(row["pixels"]) == row["pixels_sha256"], row["pixels"]
    listed = {row[key] for row in FILES + INVALID for key in ("file", "pixels") if key in row}
    assert listed == {str(p.relative_to(FOLDER)) for part in ("files", "invalid") for p in (FOLDER / part).iterdir()}
    assert {row["name"] for row in MANIFEST["models"]} == {path.name for path in (FOLDER / "models").iterdir()}


@pytest.mark.parametrize(("files", "invalid", "digest"), FROZEN)
def test_nobody_changed_what_a_file_means(files: int, invalid: int, digest: str) -> None:
    """Rows of the manifest, whole: pixels, indices, headers and errors."""
    models = [sha256(f"models/{row['name']}/{file}") for row in MANIFEST["models"][:5] for file in MODEL]
    frozen = json.dumps([FILES[:files], INVALID[:invalid], models], sort_keys=True)
    assert hashlib.sha256(frozen.encode()).hexdigest() == digest


def test_headers_say_what_they_said() -> None:
    for row in FILES:
        header = read_header((FOLDER / row["file"]).read_bytes())
        facts = {fact: getattr(header, fact) for fact in row["header"]} | {"version": list(header.version)}
        assert json.loads(json.dumps(facts)) == row["header"], row["file"]
        assert ("cicp" in facts) == (header.cicp is not None)
        metadata = {part: getattr(header, part) for part in ("icc", "exif", "xmp") if getattr(header, part) is not None}
        hashes = {part: hashlib.sha256(body).hexdigest() for part, body in metadata.items()}
        assert hashes == row["metadata_sha256"], row["file"]


@pytest.mark.parametrize("name", list(CONFIGURATIONS))
def test_every_file_under_every_configuration(name: str, tmp_path: Path) -> None:
    """One process decodes all files: the same indices, and pixels within one code value."""
    hashes = json.loads(run(DECODE, name, str(FOLDER), str(tmp_path / "pixels.npz")))
    assert hashes == {row["file"]: row["indices_sha256"] for row in FILES}
    with np.load(tmp_path / "pixels.npz") as pixels:
        for row in FILES:
            expected = imagecodecs.png_decode((FOLDER / row["pixels"]).read_bytes())
            found = pixels[row["pixels"]]
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1, row["file"]


@pytest.mark.parametrize("row", INVALID, ids=lambda row: Path(row["file"]).stem)
def test_what_must_be_refused(row: dict[str, Any]) -> None:
    codec = load(FOLDER / "models" / row["model"], device="cpu")
    with pytest.raises(LcqError) as caught:
        codec.decode((FOLDER / row["file"]).read_bytes())
    assert type(caught.value) is getattr(latticecodec, row["error"])


def add(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", f"{folder.name}.add"]
    return subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)


def test_adding_rewrites_nothing(tmp_path: Path) -> None:
    """A row that is gone from the manifest does not make its file new."""
    shutil.copytree(FOLDER, tmp_path / "conformance")
    shutil.copy(FOLDER.parent / "lcq_parts.py", tmp_path)
    manifest = tmp_path / "conformance" / "manifest.json"
    before = manifest.read_text()
    assert f"0 added, {len(FILES) + len(INVALID)} there before" in add(tmp_path / "conformance").stdout
    assert manifest.read_text() == before
    manifest.write_text(json.dumps(MANIFEST | {"files": FILES[1:]}))
    refused = add(tmp_path / "conformance")
    assert refused.returncode == 1
    assert f"{FILES[0]['file']}, {FILES[0]['pixels']}: there, but not in the manifest" in refused.stderr

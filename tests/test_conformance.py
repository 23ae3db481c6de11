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
# of the first 75 files, 46 invalid ones and 5 models, with which format 1.1 was frozen
FROZEN = "52b1b1751bb5ccc134aac15fc58972314372be18b0e9916ebd905be75c314812"

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
    assert (len(FILES), len(INVALID)) >= (75, 46)
    frozen = [row["sha256"] for row in FILES[:75]] + [row["sha256"] for row in INVALID[:46]]
    frozen += [sha256(f"models/{row['name']}/{file}") for row in MANIFEST["models"][:5] for file in MODEL]
    assert hashlib.sha256(" ".join(frozen).encode()).hexdigest() == FROZEN


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

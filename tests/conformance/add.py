"""Add conformance files: those of cases.py and invalid.py that are not in the manifest yet. None is ever rewritten.

cd tests; python -m conformance.add
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import imagecodecs

from latticecodec import LcqError, load, read_header
from latticecodec.codec import indices_sha256

from .cases import CASES, MODELS
from .invalid import INVALID

FOLDER = Path(__file__).parent
MANIFEST = FOLDER / "manifest.json"
FACTS = (
    "width",
    "height",
    "channels",
    "bit_depth",
    "quantizer",
    "family",
    "scale",
    "quality",
    "tune",
    "tile",
    "tiles",
    "version",
)


def main() -> int:
    manifest = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {"models": [], "files": [], "invalid": []}
    models = {row["name"] for row in manifest["models"]}
    manifest["models"] += [_model(name) for name in MODELS if name not in models]
    known = {row["file"] for row in manifest["files"] + manifest["invalid"]}
    made: dict[str, bytes] = {}
    for case in CASES:
        if (name := f"files/{case.name}.lcq") not in known:
            made[name] = case.make(load(FOLDER / "models" / case.model, "cpu"))
            picture, facts = _facts(case.model, made[name])
            made[pixels := f"files/{case.name}.png"] = picture
            row = {"file": name, "model": case.model, "covers": case.covers, "pixels": pixels}
            manifest["files"].append(row | facts)
    source = {row["file"]: row for row in manifest["files"]}
    for wrong in INVALID:
        if (name := f"invalid/{wrong.name}.lcq") not in known:
            made[name] = wrong.make(made.get(wrong.source) or (FOLDER / wrong.source).read_bytes())
            model = source[wrong.source]["model"]
            row = {"file": name, "model": model, "covers": wrong.covers, "sha256": _sha256(made[name])}
            manifest["invalid"].append(row | _refusal(name, model, made[name]))
    _create(made)
    MANIFEST.write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{len(manifest['files']) + len(manifest['invalid']) - len(known)} added, {len(known)} there before")
    return 0


def _model(name: str) -> dict[str, Any]:
    return {"name": name, "sha256": _sha256((FOLDER / "models" / name / "model.safetensors").read_bytes())}


def _facts(model: str, data: bytes) -> tuple[bytes, dict[str, Any]]:
    """A PNG of what a file decodes to, and what a reader must find in it."""
    codec, header = load(FOLDER / "models" / model, "cpu"), read_header(data)
    indices = codec.decode_indices(data)
    png = imagecodecs.png_encode(codec.decode(data, as_array=True), level=9)
    metadata = {part: _sha256(body) for part in ("icc", "exif", "xmp") if (body := getattr(header, part)) is not None}
    return png, {
        "pixels_sha256": _sha256(png),
        "bytes": len(data),
        "sha256": _sha256(data),
        "header": {fact: getattr(header, fact) for fact in FACTS} | ({"cicp": header.cicp} if header.cicp else {}),
        "metadata_sha256": metadata,
        "indices": indices.shape,
        "indices_sha256": indices_sha256(indices),
    }


def _refusal(name: str, model: str, data: bytes) -> dict[str, str]:
    """The error that a file must give."""
    try:
        load(FOLDER / "models" / model, "cpu").decode(data)
    except LcqError as error:
        return {"error": type(error).__name__}
    raise SystemExit(f"{name}: decodes; it cannot be among the files to refuse")


def _create(files: dict[str, bytes]) -> None:
    """Write files, all of which must be new."""
    there = [name for name in files if (FOLDER / name).exists()]
    if there:
        raise SystemExit(f"{', '.join(there)}: there, but not in the manifest; conformance files are never rewritten")
    for name, data in files.items():
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_bytes(data)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())

"""What web/stamp.py writes into the service worker changes with any file of the page, and with nothing else."""

from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

WEB = Path(__file__).parent.parent / "web"
TEXT = "// keeps the page\n"


@pytest.fixture
def stamp(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """web/stamp.py, which is no part of the package."""
    monkeypatch.syspath_prepend(str(WEB))
    return __import__("stamp")


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A page of two files and a model."""
    for name in ("page/main.js", "index.html", "models/0123456789abcdef.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("first")
    (tmp_path / "service-worker.js").write_text(TEXT)
    return tmp_path


def stamped(stamp: ModuleType, dist: Path) -> str:
    """The service worker, once it has its version."""
    assert CliRunner().invoke(stamp.main, [str(dist)]).exit_code == 0
    return (dist / "service-worker.js").read_text()


def test_the_version_is_one_line_and_stays_while_no_file_changes(stamp: ModuleType, dist: Path) -> None:
    first = stamped(stamp, dist)
    assert first == f"{TEXT}// version {stamp.version(dist)}\n"
    assert stamped(stamp, dist) == first
    (dist / "models" / "0123456789abcdef.onnx").write_text("second")
    assert stamped(stamp, dist) == first


def test_the_version_changes_with_any_file(stamp: ModuleType, dist: Path) -> None:
    found = [stamped(stamp, dist)]
    (dist / "page" / "main.js").write_text("second")
    found.append(stamped(stamp, dist))
    (dist / "page" / "main.js").rename(dist / "page" / "other.js")
    found.append(stamped(stamp, dist))
    (dist / "page" / "other.js").unlink()
    found.append(stamped(stamp, dist))
    (dist / "models" / "models.json").write_text("[]")
    found.append(stamped(stamp, dist))
    assert len(set(found)) == len(found)


def test_a_folder_without_a_service_worker_is_one_line(stamp: ModuleType, tmp_path: Path) -> None:
    done = CliRunner().invoke(stamp.main, [str(tmp_path)])
    line = f"Error: {tmp_path}/service-worker.js: is not there; `make web` fills such a folder\n"
    assert (done.exit_code, done.output) == (1, line)

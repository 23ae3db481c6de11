"""The long runs of `lcodec bulk`, which `make scale` does: thousands of pictures, every pair, stopped runs, speed.

Each prints what it measured.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest
from bulk_runs import BROKEN, draw, loose, outputs, parquet, tar
from deadlines import ended, looks
from PIL import Image

pytestmark = [pytest.mark.scale, pytest.mark.timeout(3600)]
pytest.importorskip("ray")
LCODEC = str(Path(sys.executable).with_name("lcodec"))
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def lcodec(*arguments: object, status: int = 0, **environment: str) -> tuple[str, float]:
    """What a command prints on standard output, and the seconds it takes."""
    began = time.perf_counter()
    command = [LCODEC, *map(str, arguments)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout, time.perf_counter() - began


def photographs(number: int, width: int, height: int) -> list[Image.Image]:
    """The astronaut of scikit-image, elsewhere in each, mirrored until it is so large."""
    from skimage.data import astronaut

    picture, rng = astronaut(), np.random.default_rng(0)
    found = []
    for _ in range(number):
        moved = np.roll(picture, rng.integers(0, 512, 2), (0, 1))
        more = ((0, max(0, height - 512)), (0, max(0, width - 512)), (0, 0))
        found.append(Image.fromarray(np.pad(moved, more, mode="symmetric")[:height, :width]))
    return found


def compressed(folder: Path, out: Path, *options: object) -> dict[str, bytes]:
    """What `lcodec compress` writes with one thread."""
    lcodec("compress", folder, "-o", out, *options, **ONE_THREAD)
    return outputs(out)


def test_two_thousand_pictures(tmp_path: Path) -> None:
    """Drawn ones and photographs, from a folder to a folder: all verify, byte for byte those of `lcodec compress`."""
    loose(tmp_path / "in", draw(1500))
    for number, photograph in enumerate(photographs(500, 96, 64)):
        photograph.save(tmp_path / "in" / f"photograph{number:04d}.jpg", quality=90)
    facts = json.loads(lcodec("bulk", tmp_path / "in", tmp_path / "out", "--effort", 0, "--workers", 2, "--json")[0])
    print(facts)
    assert (facts["done"], facts["failed"]) == (2000, 0)
    assert outputs(tmp_path / "out") == compressed(tmp_path / "in", tmp_path / "alone", "--effort", 0)
    assert json.loads(lcodec("bulk", tmp_path / "out", "--verify", "--workers", 2, "--json")[0])["done"] == 2000


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A bucket on the loopback, which workers reach by the environment that they inherit."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    told = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").mkdir("scale")
        yield "s3://scale"
    server.stop()


@pytest.mark.parametrize("source", ["files", "tars", "parquet", "s3"])
def test_a_hundred_from_every_source_to_every_target(source: str, s3: str, tmp_path: Path) -> None:
    files = draw(100)
    loose(tmp_path / "files", files)
    tar(tmp_path / "tars" / "a.tar", files[:50])
    tar(tmp_path / "tars" / "b.tar", files[50:], 50)
    parquet(tmp_path / "parquet" / "train.parquet", files, group=30)
    storage = fsspec.filesystem("s3", use_listings_cache=False)
    storage.put(str(tmp_path / "files"), f"{s3}/{source}/in", recursive=True)
    expected = sorted(compressed(tmp_path / "files", tmp_path / "alone", "--effort", 0).values())
    given = f"{s3}/{source}/in" if source == "s3" else tmp_path / source
    for form in ("files", "tars", "parquet"):
        asked = ["--effort", 0, "--workers", 2, *(["--per-shard", 40] if form != "files" else [])]
        lcodec("bulk", given, tmp_path / form[:1], "--to", form, *asked)
        lcodec("bulk", given, f"{s3}/{source}/{form}", "--to", form, *asked)
        storage.get(f"{s3}/{source}/{form}", str(tmp_path / f"from-{form}"), recursive=True)
        for folder in (tmp_path / form[:1], tmp_path / f"from-{form}"):
            assert sorted(outputs(folder).values()) == expected
        lcodec("bulk", f"{s3}/{source}/{form}", "--verify", "--workers", 2)


def test_a_driver_that_is_killed_and_started_again(tmp_path: Path) -> None:
    """Ten broken pictures among the rest: nothing is lost or doubled, and each of them is one line."""
    files = draw(400)
    broken = range(5, 400, 40)
    loose(tmp_path / "in", [BROKEN if index in broken else data for index, data in enumerate(files)])
    command = [LCODEC, "bulk", str(tmp_path / "in"), str(tmp_path / "out"), "--effort", "0", "--workers", "2"]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    with ended(driver) as first:
        for _ in looks(0.05):
            if len(list((tmp_path / "out").rglob("*.lcq"))) >= 100:
                break
            assert first.poll() is None
    printed, _ = lcodec(*command[1:], "--json", status=1)
    facts = json.loads(printed)
    print(facts)
    assert facts["before"] >= 100
    assert (facts["done"] + facts["before"], facts["failed"]) == (390, 10)
    assert len((tmp_path / "out" / "errors.jsonl").read_text().splitlines()) == 10
    for path in (path for path in (tmp_path / "in").rglob("*.png") if path.read_bytes() == BROKEN):
        path.unlink()
    assert outputs(tmp_path / "out") == compressed(tmp_path / "in", tmp_path / "alone", "--effort", 0)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_disk_that_is_full(tmp_path: Path) -> None:
    loose(tmp_path / "in", draw(200))
    (tmp_path / "small").mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(tmp_path / "small")])
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        command = ["bulk", tmp_path / "in", tmp_path / "small" / "out", "--effort", 0, "--workers", 2]
        done = subprocess.run([LCODEC, *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "No space left on device" in done.stderr
        shutil.copytree(tmp_path / "small" / "out", tmp_path / "out")
    finally:
        subprocess.run(["umount", str(tmp_path / "small")], check=True)
    lcodec("bulk", tmp_path / "in", tmp_path / "out", "--effort", 0, "--workers", 2)
    assert outputs(tmp_path / "out") == compressed(tmp_path / "in", tmp_path / "alone", "--effort", 0)


def test_two_workers_against_one_process(tmp_path: Path) -> None:
    """Three hundred photographs of a megapixel: at least 1.7 times as fast as `lcodec compress` with one thread."""
    (tmp_path / "in").mkdir()
    for number, photograph in enumerate(photographs(300, 1000, 1000)):
        photograph.save(tmp_path / "in" / f"{number:03d}.jpg", quality=90)
    _, one = lcodec("compress", tmp_path / "in", "-o", tmp_path / "one", "--effort", 0, **ONE_THREAD)
    asked = ["--effort", 0, "--workers", 2, "--json"]
    printed, two = lcodec("bulk", tmp_path / "in", tmp_path / "two", *asked, **ONE_THREAD)
    _, threads = lcodec("compress", tmp_path / "in", "-o", tmp_path / "threads", "--effort", 0, OMP_NUM_THREADS="2")
    print(f"one thread {one:.1f} s, two workers {two:.1f} s ({one / two:.2f}x), two threads {threads:.1f} s", printed)
    assert outputs(tmp_path / "one") == outputs(tmp_path / "two")
    assert one / two >= 1.7

"""The peers: nine rising qualities of each, files of a wanted size, and a name for what is not installed."""

import dataclasses
import importlib.util
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from latticecodec import LcqError
from latticecodec.lab.evaluation import DEFAULT_PEERS, PEERS, psnr
from latticecodec.lab.evaluation.contenders import Contender, contenders, missing
from latticecodec.lab.evaluation.peers import Peer

pytestmark = pytest.mark.usefixtures("one_thread")


def contender(name: str) -> Contender:
    """A peer as the evaluation uses it; skips where it is not installed."""
    found = contenders([], [name], "cpu", [])
    if not found:
        pytest.skip(missing([name])[name])
    return found[0]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peers_have_nine_rising_qualities(peer: Peer, photo: Image.Image) -> None:
    if not peer.available:
        pytest.skip(f"{peer.name}: {peer.reason_missing}")
    assert contender(peer.name).qualities == tuple(sorted(peer.qualities))
    files = [peer.encode(photo, quality) for quality in peer.qualities]
    sizes = [len(data) for data in files]
    assert len(set(sizes)) == 9
    assert sorted(sizes) == sizes
    decoded = [Image.open(io.BytesIO(data)) for data in files]
    assert {(image.format, image.size) for image in decoded} == {(peer.format, photo.size)}
    levels = [psnr(np.asarray(image.convert("RGB")), np.asarray(photo)) for image in decoded]
    assert sorted(levels) == levels
    assert 18 < levels[0] < 28
    assert levels[-1] > 35
    assert peer.build.startswith("Pillow ")
    if peer.feature:
        assert str(features.version(peer.version_of)) in peer.build


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_file_of_a_wanted_size(peer: Peer, photo: Image.Image) -> None:
    """The best that is no larger; the smallest or the best of all where the size lies beyond what there is."""
    codec = contender(peer.name)
    low, high = (len(codec.encode(photo, quality).data) for quality in (peer.lowest, peer.qualities[-1]))
    wanted = (low + high) // 2
    data = codec.fit(photo, wanted)
    assert 0.85 * wanted < len(data) <= wanted
    assert codec.decode(data).size == photo.size
    assert len(codec.fit(photo, 10)) == low
    assert len(codec.fit(photo, 10 * high)) == high


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_grey_and_tiny_pictures(peer: Peer, photo: Image.Image) -> None:
    codec = contender(peer.name)
    for picture in (photo.convert("L"), photo.resize((5, 3)), photo.resize((1, 1)).convert("L")):
        restored = codec.decode(codec.encode(picture, peer.qualities[-1]).data)
        assert (restored.mode, restored.size) == ("RGB", picture.size)
        assert psnr(np.asarray(restored), np.asarray(picture.convert("RGB"))) > 25


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_grey_is_coded_as_grey(peer: Peer, photo: Image.Image) -> None:
    """Each format gets its best: one channel, where it has such files; the report says so of AVIF."""
    codec = contender(peer.name)
    grey = photo.convert("L").crop((0, 0, 64, 64))
    for quality in (peer.qualities[1], peer.qualities[7]):
        data = codec.encode(grey, quality).data
        assert Image.open(io.BytesIO(data)).mode == ("RGB" if peer.name == "webp" else "L")
        if peer.name.startswith("avif"):
            buffer = io.BytesIO()
            grey.save(buffer, "AVIF", quality=quality, subsampling="4:4:4", **peer.every_option)
            assert len(data) < buffer.tell()
            assert "grey as 4:0:0" in codec.build


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_new_process_reads_the_files_of_an_earlier_one(peer: Peer, photo: Image.Image, tmp_path: Path) -> None:
    """As when an evaluation resumes: the plugin of a format is not there yet."""
    file = tmp_path / "picture"
    file.write_bytes(contender(peer.name).encode(photo, peer.qualities[0]).data)
    program = (
        "import sys, pathlib; from latticecodec.lab.evaluation import PEERS;"
        "peer = next(peer for peer in PEERS if peer.name == sys.argv[1]);"
        "print(*peer.decode(pathlib.Path(sys.argv[2]).read_bytes()).size)"
    )
    command = [sys.executable, "-c", program, peer.name, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == ([str(side) for side in photo.size], "")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check = features.check
    monkeypatch.setattr(features, "check", lambda feature: feature != "avif" and check(feature))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert missing(["jpeg", "avif", "jpegxl"]) == {
        "avif": "this build of Pillow cannot write it",
        "jpegxl": "pillow-jxl-plugin is not installed (pip install 'latticecodec[eval]')",
    }
    assert [codec.name for codec in contenders([], ["jpegxl", "avif", "jpeg"], "cpu", [])] == ["jpeg"]


def test_a_tune_that_the_build_refuses() -> None:
    """As an aom that is too old does, or passes over: the peer is left out, and what it takes is said."""
    peer = next(peer for peer in PEERS if peer.name == "avif-ssimulacra2")
    if not features.check("avif"):
        pytest.skip(peer.reason_missing)
    old = dataclasses.replace(peer, recent={"advanced": {"tune": "beauty"}})
    assert not old.available
    deaf = dataclasses.replace(peer, recent={"advance": {"tune": "ssimulacra2"}})  # which Pillow passes over
    assert not deaf.available
    assert old.reason_missing == "this build of Pillow cannot write it, which takes aom 3.13 or newer as its encoder"


def test_the_tune_changes_the_file(photo: Image.Image) -> None:
    plain, tuned = contender("avif"), contender("avif-ssimulacra2")
    assert plain.encode(photo, 50).data != tuned.encode(photo, 50).data


def test_an_unknown_peer_is_refused() -> None:
    with pytest.raises(
        LcqError, match="unknown peer 'gif'; choose from jpeg, webp, avif, avif-ssimulacra2, jpeg2000, jpegxl"
    ):
        contenders([], ["gif"], "cpu", [])


def test_the_command_offers_the_peers_there_are() -> None:
    """Its help has their names, and which are taken without --peer, and needs no torch for that."""
    program = (
        "import sys; sys.modules['torch'] = None; from latticecodec.cli import run;"
        "sys.argv[1:] = ['eval', '--help']; run('lcodec')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    told = "".join(done.stdout.split())
    assert f"--peer[{'|'.join(peer.name for peer in PEERS)}|none]" in told
    assert f"[default:{','.join(DEFAULT_PEERS)}]" in told

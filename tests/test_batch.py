"""Several files and folders: what is done, skipped, refused and left out, by one process or more."""

import json
import os
import time
from pathlib import Path

import pytest
from command_line import lcodec
from latticecodec.cli import workers
from PIL import Image

import latticecodec
import latticecodec.picture


@pytest.fixture
def own(tiny_model: Path) -> list[object]:
    """The option for the tiny model."""
    return ["--model", tiny_model]


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder `album` with two pictures of one name, a third one, and what is no picture; the process above it."""
    monkeypatch.chdir(tmp_path)
    folder = Path("album")
    folder.mkdir()
    for number, name in enumerate(("IMG_1.jpg", "IMG_1.png", "IMG_2.png")):
        Image.new("RGB", (40, 30), (60 * number, 90, 120)).save(folder / name)
    for name in ("a.mov", "b.MOV", "notes.txt", "README", "._IMG_2.png"):
        (folder / name).write_bytes(b"no picture")
    return folder


def names(folder: Path | str) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in Path(folder).iterdir())


@pytest.mark.parametrize("asked", [["--tile", "100"], ["--tune", "ms-ssim", "--effort", "0"]])
def test_what_no_picture_could_be_encoded_with_is_told_once(album: Path, own: list[object], asked: list[str]) -> None:
    result = lcodec("compress", album, "-o", "out", *asked, *own)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "IMG" not in result.stderr
    assert not Path("out").exists()


def test_only_the_files_that_would_become_one_are_refused(album: Path, own: list[object]) -> None:
    done = lcodec("compress", album, "-o", "out", *own)
    assert done.exit_code == 1
    pair = "album/IMG_1.jpg and album/IMG_1.png would both become out/IMG_1.lcq; --keep-suffix keeps them apart"
    assert f"Error: {pair}\n" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: 2 of 3 files failed; 1 compressed, ")
    assert names("out") == ["IMG_2.lcq"]
    listed = json.loads(lcodec("compress", album, "-o", "out", "--force", "--json", *own).stdout)
    assert listed[:2] == [{"input": f"album/IMG_1.{kind}", "error": pair} for kind in ("jpg", "png")]
    assert listed[2]["output"] == "out/IMG_2.lcq"


def test_files_of_one_name_in_two_folders_are_not_sent_to_keep_suffix(album: Path, own: list[object]) -> None:
    Path("other").mkdir()
    (album / "IMG_2.png").rename("other/IMG_1.png")
    for option in ([], ["--keep-suffix"]):
        done = lcodec("compress", album, "other", "-o", "out", *option, *own)
        assert done.exit_code == 1
        assert "other/IMG_1.png would " in done.stderr
        assert "; rename one, or give each folder an -o of its own\n" in done.stderr


def test_names_with_their_suffix(album: Path, own: list[object]) -> None:
    """Each has an output of its own, and comes back beside the others: IMG_1.jpg.lcq as IMG_1.jpg.png."""
    assert lcodec("compress", album, "--keep-suffix", "-o", "out", *own).exit_code == 0
    assert names("out") == ["IMG_1.jpg.lcq", "IMG_1.png.lcq", "IMG_2.png.lcq"]
    assert lcodec("decompress", "out", *own).exit_code == 0
    restored = ["IMG_1.jpg.png", "IMG_1.png", "IMG_2.png"]
    assert names("out") == sorted([*restored, "IMG_1.jpg.lcq", "IMG_1.png.lcq", "IMG_2.png.lcq"])
    assert lcodec("decompress", "out/IMG_1.png.lcq", *own).stdout.startswith("out/IMG_1.decoded.png  ")
    assert lcodec("decompress", "out/IMG_1.jpg.lcq", *own).stdout.startswith("out/IMG_1.jpg.decoded.png  ")
    (album / "IMG_2.png.lcq").write_bytes(Path("out/IMG_2.png.lcq").read_bytes())
    (album / "IMG_2.lcq").write_bytes(Path("out/IMG_2.png.lcq").read_bytes())
    both = lcodec("decompress", album, "-o", "back", *own)
    assert "album/IMG_2.lcq and album/IMG_2.png.lcq would both become back/IMG_2.png; rename one" in both.stderr


def test_what_a_folder_leaves_out_is_told_in_the_last_line(album: Path, own: list[object]) -> None:
    told = "3 compressed, 5 left out: 2 .mov, 1 ._*, 1 .txt, 1 without suffix"
    done = lcodec("compress", album, "--keep-suffix", "-o", "out", *own)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, told)
    assert len(done.stdout.splitlines()) == 3  # a line an output, and no other
    done = lcodec("compress", album, "--keep-suffix", "-o", "out", "--force", "--json", *own)
    assert done.stderr.splitlines()[-1] == told
    assert [report["width"] for report in json.loads(done.stdout)] == [40, 40, 40]  # the list is of outputs alone
    for number in range(6):
        (album / f"x.s{number}").touch()
    done = lcodec("compress", album, "--keep-suffix", "-o", "out", "--force", *own)
    assert done.stderr.splitlines()[-1].endswith("11 left out: 2 .mov, 1 ._*, 1 .s0, 1 .s1, 1 .s2, 5 of other kinds")


def test_what_is_no_file_of_the_folder_is_told_as_left_out(album: Path, own: list[object]) -> None:
    (album / "holiday").symlink_to(album.absolute())  # a circle
    (album / "lost.png").symlink_to("nowhere.png")
    (album / "IMG_3.png").symlink_to("IMG_2.png")
    os.mkfifo(album / "pipe.png")
    done = lcodec("compress", album, "--keep-suffix", "-o", "out", *own)
    assert done.exit_code == 0
    last = done.stderr.splitlines()[-1]
    assert (
        last
        == "4 compressed, 8 left out: 2 .mov, 1 ._*, 1 .txt, 1 link to a folder, 1 link to nothing, 2 of other kinds"
    )
    assert names("out") == [f"IMG_{name}.lcq" for name in ("1.jpg", "1.png", "2.png", "3.png")]


def test_several_links_are_told_as_several(album: Path, own: list[object]) -> None:
    for name in ("holiday", "journey"):
        (album / name).symlink_to(album.absolute())
    assert "2 links to folders" in lcodec("compress", album, "--keep-suffix", "-o", "out", *own).stderr


def test_what_is_missing_does_not_stop_the_others(album: Path, own: list[object]) -> None:
    assert lcodec("compress", album / "IMG_2.png", "-o", "a.lcq", *own).exit_code == 0
    done = lcodec("info", "a.lcq", "missing.lcq")
    assert done.exit_code == 1
    assert done.stdout.startswith("file           a.lcq\n")
    first, *_, last = done.stderr.splitlines()
    assert (first, last) == ("Error: missing.lcq: no such file or folder", "Error: 1 of 2 files failed; 1 read")
    listed = json.loads(lcodec("info", "missing.lcq", "a.lcq", "--json").stdout)
    assert [report["file"] for report in listed] == ["missing.lcq", "a.lcq"]
    alone = lcodec("verify", "missing.lcq")
    assert (alone.exit_code, alone.stderr) == (1, "Error: missing.lcq: no such file or folder\n")


def test_json_of_one_file_that_fails_is_as_of_one_among_several(album: Path, own: list[object]) -> None:
    """An object with the line on standard error as its error, whatever is wrong with the file."""
    Path("empty.lcq").touch()
    (album / "empty.png").touch()
    Path("taken.lcq").touch()
    Path("empty").mkdir()
    wrong = [
        ("compress", {"input": "album/empty.png"}, "album/empty.png: not an image; the file is empty"),
        ("compress", {"input": "missing.png"}, "missing.png: no such file or folder"),
        ("compress", {"input": "taken.lcq"}, "taken.lcq: is the input itself; name another output with -o"),
        ("decompress", {"input": "empty.lcq"}, "empty.lcq: not an .lcq file; the file is empty"),
        ("info", {"file": "empty.lcq"}, "empty.lcq: not an .lcq file; the file is empty"),
        ("info", {"file": "missing.lcq"}, "missing.lcq: no such file or folder"),
        ("verify", {"file": "empty.lcq", "ok": False}, "empty.lcq: not an .lcq file; the file is empty"),
    ]
    for command, report, line in wrong:
        options = [] if command == "info" else own
        done = lcodec(command, *(value for value in report.values() if value), *options, "--json")
        assert (done.exit_code, done.stderr) == (1, f"Error: {line}\n")
        assert json.loads(done.stdout) == report | {"error": line}
        assert lcodec(command, *(value for value in report.values() if value), *options).stdout == ""
    (alone,) = json.loads(lcodec("info", "empty", "--json").stdout)  # of a folder a list, as ever
    assert alone == {"file": "empty", "error": "empty: holds no files to work on (.lcq)"}


def test_outputs_that_are_links_to_one_file_are_refused(album: Path, own: list[object]) -> None:
    Path("out").mkdir()
    Path("out/one").write_bytes(b"what was there")
    for name in ("IMG_1.jpg.lcq", "IMG_1.png.lcq"):
        Path("out", name).symlink_to("one")
    done = lcodec("compress", album, "--keep-suffix", "-o", "out", "--force", *own)
    assert done.exit_code == 1
    one = Path("out/one").resolve()
    pair = f"album/IMG_1.jpg and album/IMG_1.png would both be written to {one}, through links; remove the links"
    assert f"Error: {pair}, or name another -o\n" in done.stderr
    assert one.read_bytes() == b"what was there"
    assert Path("out/IMG_2.png.lcq").exists()


def test_an_empty_folder_does_not_stop_the_others(album: Path, own: list[object]) -> None:
    Path("empty").mkdir()
    done = lcodec("compress", "empty", album / "IMG_2.png", "-o", "out", *own)
    assert done.exit_code == 1
    assert "Error: empty: holds no files to work on (.apng, .avif, " in done.stderr
    assert names("out") == ["IMG_2.lcq"]


def test_a_file_named_twice_is_done_once(album: Path, own: list[object]) -> None:
    spelt = [album / "IMG_2.png", album / "../album/IMG_2.png", album.absolute() / "IMG_2.png"]
    done = lcodec("compress", *spelt, "-o", "out", *own)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, "1 compressed")


def test_a_file_and_the_folder_that_it_lies_in_are_done_once(album: Path, own: list[object]) -> None:
    for inputs in ([album, album / "IMG_2.png"], [album / "IMG_2.png", album], [album, album.absolute()]):
        done = lcodec("compress", *inputs, "--keep-suffix", "-o", "out", "--force", "--json", *own)
        assert done.exit_code == 0, done.stderr
        assert len(json.loads(done.stdout)) == 3


def test_what_may_not_be_written_is_refused_before_it_is_read(
    album: Path, own: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out").mkdir()
    Path("out/IMG_1.png.lcq").touch()
    read, seen = latticecodec.picture.read, []
    monkeypatch.setattr(latticecodec.picture, "read", lambda place: seen.append(Path(place).name) or read(place))
    done = lcodec("compress", album, "--keep-suffix", "-o", "out", *own)
    assert "Error: out/IMG_1.png.lcq: exists already; --force overwrites it\n" in done.stderr
    assert seen == ["IMG_1.jpg", "IMG_2.png"]


def test_a_folder_is_gone_on_with(album: Path, own: list[object]) -> None:
    arguments = ["compress", album, "--keep-suffix", "-o", "out", "--skip-existing", *own]
    assert lcodec(*arguments).exit_code == 0
    Path("out/IMG_1.jpg.lcq").unlink()
    Path("out/IMG_2.png.lcq").write_bytes(b"what is there stays")
    done = lcodec(*arguments)
    assert done.stdout.startswith("out/IMG_1.jpg.lcq  40x30  ")
    assert done.stderr.splitlines()[-1].startswith("1 compressed, 2 skipped, which exist already, 5 left out")
    assert Path("out/IMG_2.png.lcq").read_bytes() == b"what is there stays"
    listed = json.loads(lcodec(*arguments, "--json").stdout)
    assert listed[0] == {"input": "album/IMG_1.jpg", "output": "out/IMG_1.jpg.lcq", "skipped": True}
    one = lcodec("compress", album / "IMG_2.png", "-o", "out/IMG_2.png.lcq", "--skip-existing", *own)
    assert (one.exit_code, one.stderr) == (0, "out/IMG_2.png.lcq: exists already, skipped\n")
    assert lcodec(*arguments, "--model", "none-such").exit_code == 0  # where there is nothing to do, without a model
    both = lcodec(*arguments, "--force")
    assert both.exit_code == 2
    assert "--force and --skip-existing exclude each other" in both.stderr


def test_restoring_is_gone_on_with(album: Path, own: list[object]) -> None:
    """Beside the .lcq files too, where a NAME.png that is there would otherwise call for NAME.decoded.png."""
    assert lcodec("compress", album / "IMG_2.png", *own).exit_code == 0
    (album / "IMG_2.png").unlink()
    for _ in range(2):
        assert lcodec("decompress", album, "--skip-existing", *own).exit_code == 0
    assert [name for name in names(album) if name.startswith("IMG_2")] == ["IMG_2.lcq", "IMG_2.png"]


def test_outputs_dated_as_their_inputs(album: Path, own: list[object]) -> None:
    moment = 1_234_567_890_123_456_789
    os.utime(album / "IMG_2.png", ns=(moment, moment))
    assert lcodec("compress", album / "IMG_2.png", "-o", "a.lcq", "--keep-times", *own).exit_code == 0
    assert Path("a.lcq").stat().st_mtime_ns == moment
    assert lcodec("decompress", "a.lcq", "-o", "a.png", "--keep-times", *own).exit_code == 0
    assert Path("a.png").stat().st_mtime_ns == moment
    assert lcodec("decompress", "a.lcq", "-o", "b.png", *own).exit_code == 0
    assert Path("b.png").stat().st_mtime_ns > moment


def test_info_and_verify_take_several(album: Path, own: list[object]) -> None:
    assert lcodec("compress", album, "--keep-suffix", "-o", "out", *own).exit_code == 0
    Path("out/IMG_1.png.lcq").write_bytes(b"damaged")
    for command, options in (("info", []), ("verify", own)):
        done = lcodec(command, "out", *options, "--json")
        assert done.exit_code == 1
        first, second, third = json.loads(done.stdout)
        assert (first["file"], third["file"]) == ("out/IMG_1.jpg.lcq", "out/IMG_2.png.lcq")
        assert second["file"] == "out/IMG_1.png.lcq"
        assert second["error"].startswith("out/IMG_1.png.lcq: not an .lcq file")
        assert done.stderr.splitlines()[-1].startswith("Error: 1 of 3 files failed; 2 ")
        alone = json.loads(lcodec(command, "out/IMG_2.png.lcq", *options, "--json").stdout)
        assert alone == third  # of one file, as ever, an object and no list
    assert (third["ok"], second["ok"]) == (True, False)
    texts = lcodec("info", "out/IMG_1.jpg.lcq", "out/IMG_2.png.lcq").stdout.split("\n\n")
    assert [text.splitlines()[0].split()[-1] for text in texts[:2]] == ["out/IMG_1.jpg.lcq", "out/IMG_2.png.lcq"]
    assert lcodec("verify", "out/IMG_1.jpg.lcq", "out/IMG_2.png.lcq", *own).stdout.count(": ok, ") == 2


def test_times_are_of_the_whole_work_on_a_file(album: Path, own: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading, coding and writing, in both directions; loading the model is no part of it."""

    def slowly(*arguments: object, **options: object) -> latticecodec.Codec:
        time.sleep(5)
        return load(*arguments, **options)  # type: ignore[arg-type]

    clock = [0.0]
    load = latticecodec.load
    monkeypatch.setattr(latticecodec, "load", slowly)
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (time.sleep(3), fsync(number)))
    packed = json.loads(lcodec("compress", album / "IMG_2.png", "--json", *own).stdout)
    restored = json.loads(lcodec("decompress", album / "IMG_2.lcq", "--json", *own).stdout)
    assert (packed["seconds"], restored["seconds"]) == (3, 3)


def test_processes_write_the_same_bytes(album: Path, own: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors too, in the order of the files. One process here, since each of them takes seconds to begin."""
    pool = workers.Workers
    monkeypatch.setattr(workers, "Workers", lambda jobs, work, processes: pool(jobs, work, processes - 1))
    (album / "bad.png").write_bytes(b"no picture")
    one = lcodec("compress", album, "--keep-suffix", "-o", "one", *own)
    two = lcodec("compress", album, "--keep-suffix", "-o", "two", "--jobs", "2", *own)
    assert (one.exit_code, two.exit_code) == (1, 1)
    assert two.stderr == one.stderr
    assert "album/bad.png: not an image" in two.stderr
    assert [(path.name, path.read_bytes()) for path in sorted(Path("two").iterdir())] == [
        (path.name, path.read_bytes()) for path in sorted(Path("one").iterdir())
    ]
    lines = [line.split("  ")[0] for line in two.stdout.splitlines()]
    assert lines == ["two/IMG_1.jpg.lcq", "two/IMG_1.png.lcq", "two/IMG_2.png.lcq"]

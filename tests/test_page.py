"""`lcodec page`: files of one folder to the browser of this machine, with the headers that threads need."""

import http.client
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from deadlines import ended, looks
from latticecodec.cli import main, page
from latticecodec.cli.server import POLICY, Server

WEB = Path(__file__).parent.parent / "web"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page, with something beside its folder that is not for it."""
    folder = tmp_path / "dist"
    (folder / "models").mkdir(parents=True)
    (folder / "index.html").write_text("<title>.lcq</title>")
    for name in ("page.js", "runtime.mjs", "runtime.wasm", "models/0123.bin"):
        (folder / name).write_bytes(b"0123456789")
    (tmp_path / "secret.txt").write_text("not for the page")
    (folder / "linked").mkdir()
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "linked" / "index.html").symlink_to(tmp_path / "secret.txt")
    (folder / "round").symlink_to("round")
    monkeypatch.setattr(page, "FOLDER", folder)
    return folder


@pytest.fixture
def server(built: Path) -> Iterator[Server]:
    with Server(built, 0) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()  # looks so often for its end
        yield server
        server.shutdown()


def answer(server: Server, path: str, host: str | None = None) -> tuple[http.client.HTTPResponse, bytes]:
    """What a browser that asks for exactly this path is told; host: the name that it has for the server."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)  # type: ignore[misc]
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/runtime.mjs", "text/javascript; charset=utf-8"),
        ("/runtime.wasm", "application/wasm"),
        ("/models/0123.bin", "application/octet-stream"),
    ],
)
def test_files_come_as_what_they_are_and_isolated(server: Server, path: str, kind: str) -> None:
    response, _ = answer(server, path)
    assert (response.status, response.headers["Content-Type"]) == (200, kind)
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["Content-Security-Policy"] == POLICY


def test_one_policy_of_the_page_its_worker_and_this_server() -> None:
    plain = " ".join((WEB / "index.html").read_text().split())
    assert POLICY.removesuffix("; frame-ancestors 'none'") in plain  # which a page cannot say of itself
    parts = re.findall(r'"([^"\n]*)"', (WEB / "service-worker.js").read_text().partition("POLICY =")[2])
    assert "".join(parts[:2]) == POLICY


@pytest.mark.parametrize(
    "path",
    ["/models/", "/missing.js", "/../secret.txt", "/%2e%2e/secret.txt", "/link.txt", "/linked/", "/round", "/%00"],
)
def test_no_more_than_the_files_of_the_page(server: Server, path: str) -> None:
    response, body = answer(server, path)
    assert response.status == 404
    assert b"not for the page" not in body
    assert b"0123.bin" not in body


def test_a_pipe_in_the_folder_holds_up_nobody(built: Path, server: Server) -> None:
    os.mkfifo(built / "pipe")
    assert answer(server, "/pipe")[0].status == 404


@pytest.mark.parametrize("host", ["localhost:{port}", "LocalHost:{port}", "127.0.0.1:{port}"])
def test_a_name_of_this_machine_is_answered(server: Server, host: str) -> None:
    assert answer(server, "/", host.format(port=server.server_port))[0].status == 200


@pytest.mark.parametrize("host", ["pictures.example", "pictures.example:{port}", "127.0.0.1:1", "localhost", ""])
def test_a_name_that_was_made_to_lead_here_is_not(server: Server, host: str) -> None:
    response, body = answer(server, "/", host.format(port=server.server_port))
    assert (response.status, b"<title>.lcq" in body) == (421, False)


def test_it_listens_on_this_machine_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


def test_a_browser_that_hangs_up_is_not_complained_about(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(server.server_address[:2]) as connection:  # type: ignore[arg-type]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # what follows is a reset
        connection.sendall(b"GET /page.js HTTP/1.1\r\n")
    assert answer(server, "/page.js")[0].status == 200
    assert capfd.readouterr() == ("", "")


def test_it_opens_a_browser_and_ends_with_ctrl_c(built: Path, tmp_path: Path) -> None:
    browser, asked = tmp_path / "browser", tmp_path / "asked"
    browser.write_text(f'#!/bin/sh\necho "$1" > {asked}.part\nmv {asked}.part {asked}\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    program = (
        "import sys; from pathlib import Path; from latticecodec.cli import main, page; "
        "page.FOLDER = Path(sys.argv.pop()); main()"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program, "page", "--port", "0", built],
        env=os.environ | {"BROWSER": str(browser)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ended(started) as running:
        assert running.stdout is not None
        address, until = running.stdout.readline().split(maxsplit=1)
        assert until == "until Ctrl-C\n"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy this machine has
        assert direct.open(address, timeout=10).read() == b"<title>.lcq</title>"
        for _ in looks():
            if asked.exists():
                break
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        assert running.communicate() == ("", "")
    assert running.returncode == 0
    assert asked.read_text() == f"{address}\n"


def test_a_machine_without_a_browser(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("webbrowser.open", lambda address: False)
    page._show("http://127.0.0.1:1/")
    assert capsys.readouterr().err == "no browser is found; open http://127.0.0.1:1/ in one\n"


def test_a_port_in_use_is_one_line(built: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = CliRunner().invoke(main, ["page", "--port", str(port)])
    assert told.exit_code == 1
    way = "choose another with --port, or 0 for one that is free"
    assert told.stderr == f"Error: port {port}: cannot be had: Address already in use; {way}\n"
    assert told.stdout == ""


def test_a_page_that_is_not_built_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    told = CliRunner().invoke(main, ["page"])
    assert told.exit_code == 1
    assert told.stderr == f"Error: {tmp_path}: the page is not built; run `make web` in a checkout of the source\n"


def test_help_tells_the_default_port_and_that_nothing_is_sent() -> None:
    told = " ".join(CliRunner().invoke(main, ["page", "--help"]).stdout.split())
    assert f"[default: {page.PORT};" in told
    assert "sent nowhere" in told

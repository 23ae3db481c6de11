"""A folder of files for the browser on this machine, and for nobody else."""

import http.server
import os
from pathlib import Path
from typing import Any, ClassVar

from latticecodec import LcqError
from latticecodec.errors import reason

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")  # that a browser on this machine has for it; another one was made to lead here
POLICY = (  # of web/index.html, which its worker does not get from there, and nobody else's frame around it
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",  # without these two a browser gives WebAssembly no threads
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-cache",  # a browser keeps the files, and asks each time whether they are still the same
    "X-Content-Type-Options": "nosniff",
}


class Files(http.server.SimpleHTTPRequestHandler):
    """Gives files of a folder, and no list of them; says nothing on standard error."""

    protocol_version = "HTTP/1.1"  # one connection for all of a page's modules
    extensions_map: ClassVar[dict[str, str]] = {  # type: ignore[misc] # whatever a system's own table says
        "": "application/octet-stream",
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".mjs": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
        ".webmanifest": "application/manifest+json",
    }

    def send_head(self) -> Any:
        """Refuse what is asked of another name, or lies outside the folder once links are followed."""
        port = self.connection.getsockname()[1]
        hosts = [f"{name}:{port}" for name in NAMES] + [name for name in NAMES if port == 80]
        if self.headers.get("Host", "").lower() not in hosts:
            self.send_error(421)
            return None
        path = self.translate_path(self.path)
        files = (path, *(os.path.join(path, name) for name in ("index.html", "index.htm")))
        if not all(self._inside(file) for file in files):
            self.send_error(404)
            return None
        return super().send_head()

    def _inside(self, path: str) -> bool:
        """Whether a path, and what it links to, lies in the folder, and is none to wait at for somebody who writes."""
        try:
            real = Path(os.path.realpath(path))
            return real.is_relative_to(os.path.realpath(self.directory)) and not real.is_fifo()
        except ValueError:  # a zero byte
            return False

    def end_headers(self) -> None:
        """Add what every answer has."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """Refuse."""
        self.send_error(404)

    def log_message(self, *args: Any) -> None:
        """Be silent."""


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder on the loopback address, a thread a connection."""

    def __init__(self, folder: Path, port: int) -> None:
        """Listen on a port, 0 for one that is free; raises LcqError where that cannot be had."""
        self._folder = folder
        try:
            super().__init__((HOST, port), Files)
        except OSError as error:
            told = f"port {port}: cannot be had: {reason(error)}; choose another with --port, or 0 for one that is free"
            raise LcqError(told) from None

    @property
    def address(self) -> str:
        """What a browser is to open."""
        return f"http://{HOST}:{self.server_port}/"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer one connection."""
        Files(request, client_address, self, directory=str(self._folder))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent where a browser hangs up in the middle of a file."""

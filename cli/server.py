"""A folder of files for the browser on this machine, and for nobody else."""

import http.server
from pathlib import Path
from typing import Any, ClassVar

from latticecodec import LcqError
from latticecodec.errors import reason

HOST = "127.0.0.1"
ISOLATED = {  # without these two a browser gives WebAssembly no threads
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
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

    def end_headers(self) -> None:
        """Add what every answer has; a browser keeps the files, and asks each time whether they are still the same."""
        for name, value in (ISOLATED | {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}).items():
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

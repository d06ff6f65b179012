"""Keeps a loaded run answering: lines of standard input, or HTTP requests with JSON on the loopback address.

The HTTP server is that of the standard library. It is meant for programs on the same machine: it has no passwords and
no encryption, refuses requests that name another host, and limits their size and their time.
"""

import collections
import contextlib
import dataclasses
import http.server
import re
import socket
import socketserver
import sys
import threading
import time
import traceback
import urllib.parse
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from annotated_types import Ge, Le

from shared import InputError, feeds, lines, settings
from shared.endpoints import MOST_INPUTS, Endpoint, answer_line, answered, answers, documented, dumps
from shared.runs import OfRun

LOOPBACK = ("localhost", "127.0.0.1", "::1")
MOST_BYTES = 16 * 2**20  # of a request's body
AT_ONCE = 16  # requests that are read or wait for their answers
SLOW_S = 10.0  # within which a request must have arrived
GONE = (ConnectionError, TimeoutError)  # what is raised when the client has left or does not listen
KEPT = 10_000  # response times, for p50 and p99
LOST = "\ufffd"  # in place of bytes that are not UTF-8

LIMITS = f"""
The answer is {{"answers": [...]}}, with one for each input, in their order. An invalid request is refused as a whole,
also if only one of its inputs is invalid: status 400 and {{"error": "..."}}. The first answer with other options than
the defaults may take some seconds, since it compiles what they need.

Limits: {MOST_BYTES:,} bytes (status 413) and {MOST_INPUTS:,} inputs (400) for a request, which must arrive within
{SLOW_S:g} seconds (408); {AT_ONCE} requests at a time (503), answered one after the other. Requests that name another
host than this address, as those of web pages do, are refused (403).
"""

Port = Annotated[int, Ge(1), Le(65_535)]


@dataclasses.dataclass(frozen=True)
class Serving(OfRun):
    """Base class for the options of a verb that serves a run."""

    # the run's name; by default the newest
    run: str | None = None
    # answer HTTP requests on this port instead of lines of standard input; its page /docs says how to ask
    http: Port | None = None
    # address to listen on; any but the default can be reached by others, without a password
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        """Rejects invalid options early."""
        settings.check(self)
        if self.http is None and self.host not in LOOPBACK:
            raise InputError("--host: expected with --http, the port to listen on")

    def check(self) -> None:
        """Raises InputError if the run does not exist or the port is in use, before a backend starts."""
        super().check()
        if self.http is not None:
            Server({}, self.http, self.host).server_close()


def run(endpoints: Mapping[str, Endpoint], options: Serving, title: str, warm_up: Callable[[], object]) -> None:
    """Serves until the input ends, or until Ctrl-C.

    Args:
        endpoints: by verb; lines of standard input are answered by the first one.
        title: of the page /docs, such as the run's path.
        warm_up: compiles what the first answer needs; called before it is said that the server is ready.
    """
    with contextlib.suppress(KeyboardInterrupt), feeds.interruptible():
        if options.http is None:
            warm_up()
            first = next(iter(endpoints.values()))
            lines.stream(lambda line: dumps(answer_line(first, decoded(line))), first.input.line)
            return
        with Server(endpoints, options.http, options.host, title) as server:
            warm_up()
            server.docs += answered(endpoints)
            if options.host not in LOOPBACK:
                print(
                    f"--host {options.host}: everyone who reaches this address can use the run, without a password, "
                    "and what is sent is not encrypted.",
                    file=sys.stderr,
                )
            print(f"Ready: {server.address}/docs says how to ask; Ctrl-C ends.", file=sys.stderr, flush=True)
            try:
                server.serve_forever()
            finally:
                server.finish()


def decoded(line: str) -> str:
    """Returns the line of standard input. Raises InputError if a character was lost, as in bytes that are not UTF-8.

    A person at the keyboard is answered all the same (see `lines.standard_input`), but a program should learn of it, as
    it does by HTTP.
    """
    if LOST in line:
        raise InputError(f"Expected UTF-8 text. Received bytes that are no character in it: {lines.shown(line)!r}")
    return line


class Server(http.server.ThreadingHTTPServer):
    """Answers requests, each in a thread of its own, with one lock around the predictor.

    Raises:
        InputError: if it cannot listen on this port of this address.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        port: int,
        host: str = LOOPBACK[1],
        title: str = "",
        slow_s: float = SLOW_S,
    ) -> None:
        self.endpoints, self.slow_s, self.host = endpoints, slow_s, host
        self.lock, self.room = threading.Lock(), threading.BoundedSemaphore(AT_ONCE)
        self.took: collections.deque[float] = collections.deque(maxlen=KEPT)
        try:
            self.address_family = socket.getaddrinfo(host, port)[0][0]
            super().__init__((host, port), Handler)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"--http: cannot listen on port {port} of {host} ({reason}).") from error
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self.server_address[1]}"
        self.docs = documented(endpoints, self.address, title) + LIMITS

    def server_bind(self) -> None:
        """Binds without looking up the machine's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Prints what went wrong, unless the client just left."""
        if not isinstance(sys.exc_info()[1], GONE):
            super().handle_error(request, client_address)

    def accepts(self, host: str) -> bool:
        """Whether a request may name this host, such as localhost:8080: those of other names may come from web pages.

        A page can make the browser send requests to this machine under the page's own name (DNS rebinding).
        """
        if self.host in ("0.0.0.0", "::"):  # any address of this machine, on request
            return True
        try:
            return urllib.parse.urlsplit(f"//{host}").hostname in (*LOOPBACK, self.host.lower())
        except ValueError:
            return False

    def finish(self) -> None:
        """Waits for the answer that is being computed, and prints the response times."""
        with self.lock:
            if self.took:
                p50, p99 = lines.percentiles(list(self.took))
                print(f"{len(self.took):,} answered: p50 {p50:.1f} ms, p99 {p99:.1f} ms", file=sys.stderr)


class Refused(Exception):
    """A request that gets an error: the status and the one-line message."""

    def __init__(self, status: HTTPStatus, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request; the connection is closed after it."""

    server: Server
    server_version, sys_version = "KerasRNNGallery", ""

    def setup(self) -> None:
        """Limits the time in which the request must have arrived: all of it, and each wait for a part of it."""
        super().setup()
        self.whole = True  # whether nothing is left to read
        self.connection.settimeout(self.server.slow_s)
        self.watch = threading.Timer(self.server.slow_s, self._read_no_more)
        self.watch.daemon = True
        self.watch.start()

    def finish(self) -> None:
        """Ends the connection; reads first what the client still sends, as closing would reset it before it listens."""
        with contextlib.suppress(OSError):  # the client may have left
            if not self.whole:
                self.connection.shutdown(socket.SHUT_WR)
                while self.rfile.read1(2**16):
                    pass
        self.watch.cancel()
        super().finish()

    def _read_no_more(self) -> None:
        with contextlib.suppress(OSError):  # the client may have left
            self.connection.shutdown(socket.SHUT_RD)

    def do_GET(self) -> None:
        """Answers any method; the name is one that the base class looks for."""
        try:
            self._answer()
        except Refused as refusal:
            self._send(refusal.status, {"error": " ".join(str(refusal).split())}, **refusal.headers)
        except InputError as error:
            self._send(HTTPStatus.BAD_REQUEST, {"error": " ".join(str(error).split())})
        except GONE:
            raise
        except Exception:  # a bug, which must not end the server
            traceback.print_exc()
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "The server failed; what it printed says why."})

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET

    def _answer(self) -> None:
        self.whole = "Content-Length" not in self.headers and "Transfer-Encoding" not in self.headers
        hosts = self.headers.get_all("Host", [])
        origins = [origin.partition("://")[2] for origin in self.headers.get_all("Origin", [])]
        if len(hosts) != 1 or not all(map(self.server.accepts, [*hosts, *origins])):
            raise Refused(HTTPStatus.FORBIDDEN, f"Expected a request to {self.server.address} from this machine.")
        page = urllib.parse.urlsplit(self.path).path.strip("/")
        if page not in ("", "docs", *self.server.endpoints):
            raise Refused(HTTPStatus.NOT_FOUND, f"There is no such page. See {self.server.address}/docs")
        method = "POST" if page in self.server.endpoints else "GET"
        if self.command != method:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"Expected the method {method} for /{page}", Allow=method)
        if not page:
            self._send(HTTPStatus.FOUND, "", Location="/docs")
        elif page == "docs":
            self._send(HTTPStatus.OK, self.server.docs)
        else:
            self._ask(self.server.endpoints[page])

    def _ask(self, endpoint: Endpoint) -> None:
        length = self._length()
        if not self.server.room.acquire(blocking=False):
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, f"{AT_ONCE} requests are waiting already. Ask again later.")
        try:
            body = self._body(length)
            started = time.perf_counter()
            found = answers(endpoint, body, self.server.lock)
            self.server.took.append(1000 * (time.perf_counter() - started))
        finally:
            self.server.room.release()
        self._send(HTTPStatus.OK, {"answers": found})

    def _length(self) -> int:
        """Returns the size of the body in bytes."""
        said = self.headers.get("Content-Length", "")
        if not said or "Transfer-Encoding" in self.headers:
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "Expected a body and its Content-Length.")
        if not re.fullmatch("[0-9]{1,18}", said):
            raise Refused(HTTPStatus.BAD_REQUEST, f"Content-Length: expected a whole number; received {said}")
        if int(said) > MOST_BYTES:
            message = f"Expected a body of at most {MOST_BYTES:,} bytes. Received {int(said):,}."
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)
        return int(said)

    def _body(self, length: int) -> bytes:
        with contextlib.suppress(TimeoutError):
            body = self.rfile.read(length)
            if len(body) == length:
                self.whole = True
                self.watch.cancel()
                return body
        message = f"Expected {length:,} bytes within {self.server.slow_s:g} seconds; not all of them arrived."
        raise Refused(HTTPStatus.REQUEST_TIMEOUT, message)

    def _send(self, status: HTTPStatus, value: Any, **headers: str) -> None:
        text = value if isinstance(value, str) else dumps(value) + "\n"
        body = text.encode(errors="backslashreplace")  # of a lone surrogate, an escape that JSON has too
        kind = "text/plain" if isinstance(value, str) else "application/json"
        more = {"Content-Type": f"{kind}; charset=utf-8", "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        self.send_response(status)
        for name, said in {**more, "X-Content-Type-Options": "nosniff", **headers}.items():
            self.send_header(name, said)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers what the base class refuses, such as a malformed request, like every other error."""
        del explain
        self._send(HTTPStatus(code), {"error": message or HTTPStatus(code).phrase})

    def log_message(self, format: str, *args: Any) -> None:
        """Prints nothing: the answers are the client's."""

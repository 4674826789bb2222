"""A loopback HTTP server that fails on demand: what providers and object stores do on bad nights, scripted.

A test gives it good answers by path (`route`, `serve_bucket`), then puts faults in front (`inject` for the next requests,
`inject_always` for all of them). Every request is recorded. Nothing leaves the loopback address.
"""

import hashlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What to send back, and how badly.

    `cut_to`: announce the whole Content-Length, send only so many bytes, close. `reset`: send nothing, reset the connection
    (with `cut_to`: reset after those bytes). `delay_seconds`: wait before the status line. `drip_seconds`: wait after every byte.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_to: int | None = None
    reset: bool = False
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0


Responder = Callable[[Request], Answer]
NOT_FOUND = Answer(b'{"error":"no such path"}', 404, {"Content-Type": "application/json"})


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up on slow answers: that is what the tests are about."""


class FaultyServer:
    """`with FaultyServer() as server:` gives `server.url`, an address that answers until the block ends."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._faults: deque[Answer | Callable[[Answer], Answer]] = deque()
        self._always: Answer | Callable[[Answer], Answer] | None = None
        self._routes: dict[str, Responder] = {}
        self._stopping = threading.Event()
        self._http = _HttpServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=lambda: self._http.serve_forever(poll_interval=0.01), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def route(self, path: str, answer: Answer | Responder) -> None:
        """Answers requests whose path is `path`, or begins with it where it ends in a slash. The longest match wins."""
        self._routes[path] = answer if callable(answer) else lambda _request: answer

    def inject(self, *faults: Answer | Callable[[Answer], Answer]) -> None:
        """Each fault spoils one coming request, in order. A callable is given the good answer and returns a worse one."""
        self._faults.extend(faults)

    def inject_always(self, fault: Answer | Callable[[Answer], Answer] | None) -> None:
        """Spoils every request from now on (after the faults already queued); None ends it."""
        self._always = fault

    def answer(self, request: Request) -> Answer:
        """The answer to a request, faults first."""
        self.requests.append(request)
        fault = self._faults.popleft() if self._faults else self._always
        if isinstance(fault, Answer):
            return fault
        good = self._good(request)
        return fault(good) if fault is not None else good

    def _good(self, request: Request) -> Answer:
        matching = [p for p in self._routes if request.path == p or (p.endswith("/") and request.path.startswith(p))]
        return self._routes[max(matching, key=len)](request) if matching else NOT_FOUND

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server, stopping = self, self._stopping

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                url = urlsplit(self.path)
                query = parse_qs(url.query, keep_blank_values=True)
                body = self.rfile.read(length)
                answer = server.answer(Request(self.command, unquote(url.path), query, dict(self.headers), body))
                stopping.wait(answer.delay_seconds)
                if answer.reset and answer.cut_to is None:
                    return self._reset()
                self._send(answer)
                return None

            def _send(self, answer: Answer) -> None:
                self.send_response_only(answer.status)
                usual = {"Date": self.date_time_string(), "Content-Length": str(len(answer.body))}
                for name, value in {**usual, **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "HEAD":
                    return
                self._write(answer.body if answer.cut_to is None else answer.body[: answer.cut_to], answer.drip_seconds)
                if answer.reset:
                    self._reset()
                elif answer.cut_to is not None:
                    self.close_connection = True

            def _write(self, content: bytes, drip_seconds: float) -> None:
                if not drip_seconds:
                    self.wfile.write(content)
                    return
                for byte in content:
                    if stopping.wait(drip_seconds):
                        return
                    self.wfile.write(bytes([byte]))

            def _reset(self) -> None:
                # SO_LINGER of zero makes close() send RST instead of FIN: 'connection reset by peer'
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                self.connection.close()
                self.close_connection = True

            def finish(self) -> None:
                if self.connection.fileno() != -1:
                    super().finish()

            do_GET = do_POST = do_HEAD = do_PUT = _serve  # noqa: N815 - the names http.server calls

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Tests read `server.requests`."""

        return Handler


def json_answer(body: bytes, status: int = 200, **headers: str) -> Answer:
    """An answer with the JSON content type. Header names: underscores stand for hyphens (`retry_after='1'`)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(body, status, {"Content-Type": "application/json", **named})


def cut_in_half(good: Answer) -> Answer:
    """The good answer, whose connection closes half-way through the body that it announced."""
    return Answer(good.body, good.status, good.headers, cut_to=max(len(good.body) // 2, 0))


def reset_in_half(good: Answer) -> Answer:
    """The good answer, whose connection is reset half-way through the body."""
    return Answer(good.body, good.status, good.headers, cut_to=len(good.body) // 2, reset=True)


SERVICE_UNAVAILABLE = json_answer(b'{"error":"overloaded"}', 503)
UNAUTHORIZED = json_answer(b'{"error":"invalid credentials"}', 401)
HTML_PAGE = Answer(b"<!DOCTYPE html><html><body>Sign in</body></html>", 200, {"Content-Type": "text/html"})


def too_many_requests(retry_after: str) -> Answer:
    """A 429 with that Retry-After."""
    return json_answer(b'{"error":"slow down"}', 429, Retry_After=retry_after)


def serve_bucket(server: FaultyServer, bucket: str, objects: Mapping[str, bytes]) -> dict[str, str]:
    """Serves an S3 bucket, path-style and unsigned: ListObjectsV2 (with prefix and delimiter), HEAD, GET with ranges.

    Returns the storage options that reach it.
    """

    def respond(request: Request) -> Answer:
        key = request.path.removeprefix(f"/{bucket}").lstrip("/")
        if not key:
            return Answer(_listing(bucket, objects, request), 200, {"Content-Type": "application/xml"})
        if key not in objects:
            return Answer(b"<Error><Code>NoSuchKey</Code></Error>", 404, {"Content-Type": "application/xml"})
        return _object(objects[key], request)

    server.route(f"/{bucket}", respond)
    server.route(f"/{bucket}/", respond)
    return {
        "aws_endpoint_url": server.url,
        "aws_region": "us-east-1",
        "aws_skip_signature": "true",
        "aws_allow_http": "true",
    }


def _object(content: bytes, request: Request) -> Answer:
    tag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    headers = {"ETag": f'"{tag}"', "Last-Modified": _HTTP_DATE, "Accept-Ranges": "bytes"}
    wanted = next((v for k, v in request.headers.items() if k.lower() == "range"), None)
    if wanted is None or not content:
        return Answer(content, 200, headers)
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(len(content) - int(last), 0)
    stop = min(int(last) + 1, len(content)) if first and last else len(content)
    return Answer(content[start:stop], 206, {**headers, "Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"})


_HTTP_DATE = "Sat, 03 Oct 2026 00:00:00 GMT"


def _listing(bucket: str, objects: Mapping[str, bytes], request: Request) -> bytes:
    prefix = request.query.get("prefix", [""])[0]
    delimiter = request.query.get("delimiter", [""])[0]
    contents, common = "", set[str]()
    for key, content in sorted(objects.items()):
        if not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        if found:
            common.add(prefix + head + delimiter)
            continue
        tag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        contents += (
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-10-03T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{tag}&quot;</ETag><Size>{len(content)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        )
    prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(p)}</Prefix></CommonPrefixes>" for p in sorted(common))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(objects)}</KeyCount><MaxKeys>1000</MaxKeys>"
        f"<IsTruncated>false</IsTruncated>{contents}{prefixes}</ListBucketResult>"
    ).encode()


class Clock:
    """A clock that only sleeping moves: `clock.sleep` and `clock.monotonic` go where a session asks for time.

    `started` real time is added where a test wants real deadlines (`Clock(real=True)`).
    """

    def __init__(self, *, real: bool = False) -> None:
        self.slept: list[float] = []
        self._real = real

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def monotonic(self) -> float:
        return sum(self.slept) + (time.monotonic() if self._real else 0.0)

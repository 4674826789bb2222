"""A provider of this machine's own, shaped like OpenAI's and Anthropic's APIs. It remembers what it answered."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMPLETION = "canary-completion"
ERROR = "canary-error-text"


@dataclass
class Upstream:
    """Its address, and every usage that it answered, by the id of the answer (embeddings have none: by their model)."""

    port: int
    answered: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The answer to one request; every one has numbers of its own."""
        with self.lock:
            number = len(self.answered) + 1
            model = asked["model"]
            if model == "always-500":
                return 500, {"error": {"message": ERROR, "type": "server_error", "code": None}}
            if path.endswith("/embeddings"):
                usage = {"prompt_tokens": 40 + number, "total_tokens": 40 + number}
                self.answered[model] = usage
                return 200, {
                    "object": "list",
                    "model": model,
                    "data": [{"object": "embedding", "index": 0, "embedding": [0.5] * 8}],
                    "usage": usage,
                }
            if path.endswith("/messages"):
                return self._anthropic(model, number)
            return self._openai(model, number)

    def _openai(self, model: str, number: int) -> tuple[int, dict[str, Any]]:
        reasoning = 128 + number if model.startswith("gpt-5") else 0
        usage = {
            "prompt_tokens": 1200 + 7 * number,
            "completion_tokens": 300 + number,
            "total_tokens": 1500 + 8 * number,
            "prompt_tokens_details": {"cached_tokens": 1000 + number, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 0},
        }
        found = f"chatcmpl-{number:024d}"
        self.answered[found] = usage
        message = {"role": "assistant", "content": COMPLETION}
        return 200, {
            "id": found,
            "object": "chat.completion",
            "created": 1_795_000_000,
            "model": model,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": usage,
        }

    def _anthropic(self, model: str, number: int) -> tuple[int, dict[str, Any]]:
        usage = {
            "input_tokens": 100 + number,
            "cache_creation_input_tokens": 400 + 2 * number,
            "cache_read_input_tokens": 700 + number,
            "output_tokens": 300 + number,
            "cache_creation": {
                "ephemeral_5m_input_tokens": 300 + number,
                "ephemeral_1h_input_tokens": 100 + number,
            },
            "service_tier": "standard",
        }
        found = f"msg_{number:020d}"
        self.answered[found] = usage
        return 200, {
            "id": found,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": COMPLETION}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": usage,
        }


def _streamed(answer: dict[str, Any]) -> bytes:
    """A chat completion as server-sent events, its usage in the last one."""
    base = {
        "id": answer["id"],
        "object": "chat.completion.chunk",
        "created": answer["created"],
        "model": answer["model"],
    }
    choice = {"index": 0, "delta": {"role": "assistant", "content": COMPLETION}, "finish_reason": None}
    chunks = [
        {**base, "choices": [choice]},
        {**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {**base, "choices": [], "usage": answer["usage"]},
    ]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


@contextmanager
def upstream_server() -> Generator[Upstream]:
    """Runs it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = upstream.answer(self.path, asked)
            streamed = status == 200 and asked.get("stream")
            body = _streamed(answer) if streamed else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/event-stream" if streamed else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    upstream = Upstream(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield upstream
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

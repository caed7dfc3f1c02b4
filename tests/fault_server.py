"""A server of chat completions on this machine that fails as it is told, and counts what it was
asked."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Literal

Kind = Literal["status", "hang", "cut", "not_json", "body", "endless"]


@dataclass(frozen=True)
class Fault:
    """What one request gets in the place of a reply."""

    kind: Kind
    status: int = 200
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None


def status(code: int, message: str = "as scripted", **headers: str) -> Fault:
    """An error of the server; `retry_after` becomes the header Retry-After."""
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Fault("status", code, message, named)


HANG = Fault("hang")
CUT = Fault("cut")
NOT_JSON = Fault("not_json")
ENDLESS = Fault("endless")
"""A reply that never ends: the server notes how much of it was taken."""
EMPTY_CHOICES = Fault("body", body={"choices": [], "usage": None})


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    content: str
    body: dict[str, Any]
    authorization: str
    at: float


def said(content: str) -> str:
    """What the server replies by itself."""
    return f"reply to {content}"


class FaultServer:
    """`with FaultServer(faults)`: the first requests get the faults, in order; the rest replies.

    `rule` looks at a request and may give a fault for it (None: none). `reply` makes the content.
    `delay` is how long a reply takes, in seconds.
    """

    def __init__(
        self,
        faults: Sequence[Fault | None] = (),
        rule: Callable[[Asked], Fault | None] = lambda asked: None,
        reply: Callable[[str], str] = said,
        delay: float = 0.0,
        usage: dict[str, int] | None = None,
    ) -> None:
        self.faults, self.rule, self.reply, self.delay = list(faults), rule, reply, delay
        self.usage = {"prompt_tokens": 10, "completion_tokens": 5} if usage is None else usage
        self.asked: list[Asked] = []
        self.answered: Counter[str] = Counter()
        self.sent = 0
        self.closing = threading.Event()
        self.lock = threading.Lock()
        handler = type("Bound", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def host(self) -> str:
        """127.0.0.1:port"""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The base_url of a chat."""
        return f"http://{self.host}/v1"

    @property
    def count(self) -> Counter[str]:
        """How often each content was asked."""
        return Counter(one.content for one in self.asked)

    def __enter__(self) -> FaultServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: ClassVar[FaultServer]
    protocol_version = "HTTP/1.1"
    timeout = 20

    def log_message(self, *arguments: Any) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = body["messages"][-1]["content"]
        authorization = self.headers.get("Authorization", "")
        asked = Asked(content, body, authorization, time.monotonic())
        with self.owner.lock:
            self.owner.asked.append(asked)
            fault = self.owner.faults.pop(0) if self.owner.faults else None
        fault = fault or self.owner.rule(asked)
        if fault is None:
            self.owner.closing.wait(self.owner.delay)
            message = {"role": "assistant", "content": self.owner.reply(content)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._send(200, json.dumps({"choices": [choice], "usage": self.owner.usage}))
            with self.owner.lock:
                self.owner.answered[content] += 1
        elif fault.kind == "hang":
            self.owner.closing.wait(15)
            self.close_connection = True
        elif fault.kind == "cut":
            self._send(200, '{"choices": [', announced=10_000)
            self.close_connection = True
        elif fault.kind == "not_json":
            self._send(200, '{"choices": [{"message": <html>')
        elif fault.kind == "endless":
            self._send(200, '{"choices": [{"message": {"content": "', announced=10**12)
            self._pour()
        elif fault.kind == "body":
            self._send(200, json.dumps(fault.body))
        else:
            error = {"error": {"message": fault.message, "code": None}}
            self._send(fault.status, json.dumps(error), fault.headers)

    def _pour(self) -> None:
        self.close_connection = True
        with suppress(BrokenPipeError, ConnectionResetError):
            while not self.owner.closing.is_set():
                self.wfile.write(b"x" * 2**16)
                self.owner.sent += 2**16

    def _send(
        self,
        code: int,
        text: str,
        headers: dict[str, str] | None = None,
        announced: int | None = None,
    ) -> None:
        data = text.encode()
        try:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(announced or len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

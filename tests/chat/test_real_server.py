"""A real OpenAI-compatible server on this machine: `transformers serve` with a tiny model."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpla_assets.chat import ChatRequest, MemoryCalls, Message
from gpla_assets.chat.openai_chat import OpenAIChat
from gpla_assets.chat.transformers_chat import TransformersChat
from gpla_assets.studies import Calls
from tests.tiny_models import tiny_llama

pytestmark = pytest.mark.slow

pytest.importorskip("fastapi", reason="fastapi is not installed: no server to run")
WAIT_S = 90
TEMPLATE = "{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The server's base_url and the folder of its model."""
    folder = tiny_llama(tmp_path_factory.mktemp("served"), TEMPLATE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(folder)]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    pytest.fail(f"transformers serve did not answer within {WAIT_S} s")
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_real_server_says_what_the_same_model_says_here(server: tuple[str, Path]) -> None:
    url, folder = server
    requests = [
        ChatRequest((Message("user", text),), max_new_tokens=8)
        for text in ("you are kind", "tell the truth", "you are kind")
    ]
    cache = MemoryCalls()
    chat = OpenAIChat(str(folder), Calls(concurrency=2), cache, base_url=url)
    replies = chat.ask(requests)
    here = TransformersChat(str(folder)).ask(requests)
    assert [reply.content.strip() for reply in replies] == [reply.content for reply in here]
    assert chat.inferences == 2
    assert replies[0].completion_tokens > 0
    again = OpenAIChat(str(folder), Calls(), cache, base_url=url)
    assert [one.content for one in again.ask(requests)] == [one.content for one in replies]
    assert again.inferences == 0

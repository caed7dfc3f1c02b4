"""What a run shows: bars with the time that is left on a terminal, plain lines in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gpla_assets.orchestration import progress
from gpla_assets.orchestration.session import Session
from gpla_assets.studies import load_study
from tests.conftest import ROOT, gpla
from tests.fault_server import FaultServer

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> StringIO:
    """Where what is shown goes, on a terminal or in a pipe."""
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    monkeypatch.setattr(progress, "terminal", lambda: console)
    return out


def test_a_terminal_has_a_bar_of_the_steps_and_one_of_the_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = shown(monkeypatch, terminal=True)
    with progress.showing() as say:
        took = {"texts": 5.0, "perceptions": 100.0}
        session = Session(load_study("demo"), say, waiting=list(took), took=took, total=2)
        session.begin("texts", None, 0)
        session.begin("perceptions", None, 0)
        with progress.progress("texts", 10) as advance:
            advance(3)
            time.sleep(0.3)
    text = ESCAPES.sub("", out.getvalue())
    assert "> 1/2 texts: asked for" in text
    assert "step 2 of 2: perceptions" in text and "3/10" in text
    assert re.search(r"0:01:(40|39|38) left", text)


def test_a_pipe_has_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    out = shown(monkeypatch, terminal=False)
    with progress.showing() as say:
        Session(load_study("demo"), say).begin("texts", "subjects", 2)
        with progress.progress("texts", 10) as advance:
            advance(10)
    assert out.getvalue() == "> 1/1 texts: 2 subjects, asked for\n"


def test_the_time_that_is_left_is_that_of_earlier_runs() -> None:
    study, steps = load_study("demo"), ["texts", "perceptions", "lexicon"]
    told: list[float | None] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "gpla_assets.orchestration.session.step_begins", lambda *given: told.append(given[3])
        )
        Session(study, print, waiting=list(steps)).begin("texts", None, 0)
        took = {"texts": 5.0, "perceptions": 60.0}
        again = Session(study, print, waiting=list(steps), took=took)
        again.begin("texts", None, 0)  # lexicon has no past: the mean of the others
        again.begin("perceptions", None, 0)
        again.begin("lexicon", None, 0)
    assert told == [None, 5 + 60 + 32.5, 60 + 60, None]


STUDY = """
name: asked
corpus: [{{source: table, file: none.jsonl}}]
subjects: [{{backend: openai, base_url: "{url}", llms: [one]}}]
questions: {{count: 40}}
calls: {{concurrency: 1}}
"""
CLI = "from gpla_assets.cli import app; app()"


@dataclass
class Ended:
    """A command on a terminal that has ended: its exit code and what the terminal showed."""

    code: int
    text: str


def on_terminal(
    arguments: Sequence[str], environment: Mapping[str, str], stop: Callable[[], bool]
) -> Ended:
    """Run `gpla` on a terminal of its own, and press control-C once `stop` says so."""
    master, slave = pty.openpty()

    def of_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    run = subprocess.Popen(
        [sys.executable, "-c", CLI, *arguments],
        env={**environment, "TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=of_terminal,
    )
    os.close(slave)
    seen, pressed = b"", False
    try:
        while part := os.read(master, 65536):
            seen += part
            if not pressed and stop():
                os.write(master, b"\x03")
                pressed = True
    except OSError:  # how a terminal says that nobody is at its other end
        pass
    os.close(master)
    text = ESCAPES.sub("", seen.decode("utf-8", "replace")).replace("\r", "\n")
    return Ended(run.wait(60), text)


@pytest.mark.slow
def test_an_interrupted_run_leaves_its_steps_and_says_so_in_a_line(tmp_path: Path) -> None:
    study = tmp_path / "asked.yaml"
    environment = os.environ | {"GPLA_WAREHOUSE_DIR": str(tmp_path / "wh"), "PYTHONPATH": str(ROOT)}
    with FaultServer(delay=0.3) as server:
        study.write_text(STUDY.format(url=server.url), "utf-8")
        ended = on_terminal(
            ["ask", str(study)], environment, lambda: sum(server.answered.values()) >= 5
        )
        asked = len(server.asked)
        assert ended.code == 130, ended.text[-2000:]
        assert re.search(r"step 3 of 3: responses", ended.text)
        assert re.search(r"answers .*\b[1-5]/40", ended.text)
        assert ended.text.count("stopped after 2 of 3 steps: what was finished stays") == 1
        assert not re.search("Traceback|Interrupt|Error", ended.text)
        server.delay = 0.0
        told = gpla("ask", str(study), folder=tmp_path / "wh")
        assert "1 steps made" in told and "\x1b" not in told
        # the call under way at the time may be asked once more
        assert 40 <= len(server.asked) <= 41 and asked >= 5

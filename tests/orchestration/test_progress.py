"""What a run shows: bars with the time that is left on a terminal, plain lines in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import subprocess
import termios
import time
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from gpla_assets.orchestration import progress
from gpla_assets.orchestration.making import Made
from gpla_assets.orchestration.session import Session
from gpla_assets.orchestration.steps import step_named
from gpla_assets.storage import Warehouse
from gpla_assets.studies import load_study
from tests.quick_study import quick_study

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def shown(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> StringIO:
    """Where what is shown goes, on a terminal or in a pipe."""
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=120)
    monkeypatch.setattr(progress, "terminal", lambda: console)
    return out


def made(name: str, seconds: float) -> Made:
    return Made(step_named(name), {}, {}, [], 0, seconds, {})


def test_a_terminal_has_a_bar_of_the_steps_and_one_of_the_items(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = shown(monkeypatch, terminal=True)
    with progress.showing() as say:
        session = Session(load_study("demo"), say, waiting=["texts", "perceptions"], total=2)
        session.begin("texts", None, 0)
        session.made.append(made("texts", 100.0))
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


def test_the_time_that_is_left_is_that_of_earlier_runs_or_the_mean() -> None:
    took = {"texts": 5.0, "perceptions": 60.0}
    study, steps = load_study("demo"), ["texts", "perceptions", "lexicon"]
    told: list[float | None] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "gpla_assets.orchestration.session.step_begins", lambda *given: told.append(given[3])
        )
        Session(study, print, waiting=list(steps)).begin("texts", None, 0)
        again = Session(study, print, waiting=list(steps), took=took)
        again.begin("texts", None, 0)  # lexicon has no past: the mean of the others
        again.made.append(made("texts", 7.0))
        again.begin("perceptions", None, 0)  # and now the mean of this run's steps
    assert told == [None, 5 + 60 + 32.5, 60 + 7]


@pytest.mark.slow
def test_an_interrupted_run_leaves_its_steps_and_says_so_in_a_line(tmp_path: Path) -> None:
    study = quick_study(tmp_path / "study")
    master, slave = pty.openpty()

    def of_terminal() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    run = subprocess.Popen(
        study.command("run", str(study.file)),
        env=study.environment | {"TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=of_terminal,
        close_fds=True,
    )
    os.close(slave)
    seen, asked = b"", False
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # how a terminal says that nobody is at the other end
            break
        seen += part
        if not asked and re.search(rb"> [456]/\d+ ", seen) and b"step" in seen:
            os.write(master, b"\x03")
            asked = True
    os.close(master)
    assert run.wait(60) == 130, seen[-2000:]
    text = ESCAPES.sub("", seen.decode("utf-8", "replace")).replace("\r", "\n")
    assert re.search(r"step \d+ of \d+: \w+", text)
    stopped = re.findall(r"stopped after (\d+) of \d+ steps: what was finished stays", text)
    assert len(stopped) == 1
    assert "Traceback" not in text and "Interrupt" not in text
    kept = Warehouse(study.published).read("select distinct asset from internal.runs")["asset"]
    assert len(kept) == int(stopped[0]) >= 3
    stale = study.status()
    assert not any(re.search(rf"\b{name}\b .*never made", stale) for name in kept)

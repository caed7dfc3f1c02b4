"""What the exported R scripts print, where R with lavaan and psych is at hand, is what we print."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gpla_assets.cli import app

pytestmark = pytest.mark.slow


def installed(package: str) -> bool:
    if shutil.which("Rscript") is None:
        return False
    asked = ["Rscript", "-e", f"quit(status = !requireNamespace('{package}', quietly = TRUE))"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def ours(folder: Path, command: str, *arguments: str) -> dict[str, Any]:
    """What a command's JSON says; its R script lies beside."""
    written = ("--json", str(folder / "o.json"), "--r-script", str(folder / "o.R"))
    ended = CliRunner().invoke(app, [command, str(folder / "m.csv"), *arguments, *written])
    assert ended.exit_code == 0, ended.output
    return dict(json.loads((folder / "o.json").read_text("utf-8")))


def theirs(folder: Path, more: str) -> str:
    """What the script prints, and the lines of R after it."""
    script = (folder / "o.R").read_text("utf-8") + "\noptions(digits = 15)\n" + more
    (folder / "o.R").write_text(script, "utf-8")
    done = subprocess.run(
        ["Rscript", "o.R"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(5)
    latent = np.repeat(random.standard_normal((200, 2)), 4, axis=1)
    names = ["Care", "Social Help", "Kindness", "Warmth", "Power", "Wealth", "Status", "Fame"]
    frame = pd.DataFrame(latent + random.standard_normal((200, 8)), columns=names)
    frame.iloc[:20, 1] = frame.iloc[30:50, 5] = np.nan
    frame.to_csv(tmp_path / "m.csv", index=False)
    factors = {"C": names[:4], "P": names[4:]}
    (tmp_path / "s.yaml").write_text(json.dumps({"factors": factors}), "utf-8")
    return tmp_path


@pytest.mark.skipif(not installed("lavaan"), reason="no R with lavaan")
@pytest.mark.parametrize("missing", ["fiml", "listwise"])
def test_lavaan_fits_the_exported_model_alike(folder: Path, missing: str) -> None:
    found = ours(folder, "cfa", "--system", str(folder / "s.yaml"), "--missing", missing)
    more = 'cat("\\nOF R", fitMeasures(fit, c("chisq", "df", "cfi", "rmsea", "srmr")), "\\n")'
    said = re.search(r"OF R (.*)", theirs(folder, more))
    assert said is not None
    fit = found["fit"]["standard"] | {"df": found["df"]}
    own = [fit[name] for name in ("chi2", "df", "cfi", "rmsea", "srmr")]
    np.testing.assert_allclose(own, [float(one) for one in said[1].split()], atol=2e-4, rtol=1e-4)


@pytest.mark.skipif(not installed("psych"), reason="no R with psych")
def test_psych_finds_the_exported_structure_alike(folder: Path) -> None:
    found = ours(folder, "structure", "--factors", "2", "--resamples", "50")
    said = theirs(folder, 'cat("\\nOF R", colSums(L^2), "\\n")')
    sums = re.search(r"OF R (.*)", said)
    assert sums is not None
    own = sorted(one["ss_loadings"] for one in found["variance"])
    np.testing.assert_allclose(own, sorted(map(float, sums[1].split())), atol=1e-6)

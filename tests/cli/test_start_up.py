"""What commands on a user's own matrix load: no model, no warehouse, little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow
HEAVY = {
    *("torch", "transformers", "sentence_transformers", "dagster", "dbt", "duckdb", "openai"),
    *("sklearn", "statsmodels", "pingouin", "matplotlib", "plotly", "scipy.stats"),
    *("openpyxl", "pyreadstat", "rdata"),
}
MOST_MB = 300
PROGRAM = """
import json, re, sys
from gpla_assets.cli import app
try:
    app(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
# ru_maxrss would count what the parent held before the exec
used = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
print(json.dumps([used, sorted(sys.modules)]))
"""


@pytest.mark.parametrize(
    "arguments",
    [("structure", "--help"), ("structure", "m.csv", "--resamples", "50"), ("cfa", "m.csv")],
    ids=" ".join,
)
def test_commands_on_a_matrix_load_no_models_and_no_warehouse(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    random = np.random.default_rng(2)
    latent = np.repeat(random.standard_normal((100, 2)), 3, axis=1)
    data = pd.DataFrame(latent + random.standard_normal((100, 6)), columns=list("abcdef"))
    data.to_csv(tmp_path / "m.csv", index=False)
    (tmp_path / "s.yaml").write_text("factors: {F: [a, b, c], G: [d, e, f]}", "utf-8")
    more = ("--system", "s.yaml") if arguments[0] == "cfa" else ()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments, *more],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    used, loaded = json.loads(done.stdout.splitlines()[-1])
    assert HEAVY & set(loaded) == set()
    assert used < MOST_MB

"""Plain one-liners, whose side nobody doubts: M_E as it ships hears it."""

from __future__ import annotations

import pytest

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.content import definitions_of, plain_statements, vocabulary
from gpla_assets.evaluator.backends import make_evaluator
from gpla_assets.studies import Evaluator

RIGHT = {"fast": 0.77, "accurate": 0.95}
"""Share by mode; of fast .90 is asked (issue 24), and gpla-minilm-4 and -5 reach .775."""


@pytest.mark.parametrize("mode", RIGHT)
def test_the_side_of_plain_statements_is_heard(mode: str) -> None:
    rows = plain_statements()
    try:
        evaluator = make_evaluator(Evaluator.model_validate({"mode": mode}))
    except BackendUnavailable as missing:
        pytest.skip(str(missing))
    definitions = definitions_of(rows["value"], vocabulary())
    found = evaluator.score(list(rows["statement"]), list(rows["value"]), definitions)
    right = (found["score"].to_numpy() > 0) == (rows["stance"] == "support").to_numpy()
    wrong = rows[~right]
    assert right.mean() >= RIGHT[mode], wrong.to_string()
    # neither side is what it says when it does not know
    said = (found["score"].to_numpy() > 0).mean()
    assert abs(said - 0.5) < 0.15

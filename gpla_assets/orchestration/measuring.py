"""The steps that say what LLMs value: a user who asks for no more waits for no more."""

from __future__ import annotations

from collections.abc import Sequence

from gpla_assets.orchestration.steps import all_steps
from gpla_assets.orchestration.versions import upstream_of
from gpla_assets.studies import Study

RESULTS = ("value_correlations", "value_estimates")
"""Steps whose rows say it: scores, and what they rest on."""


def needed_for(study: Study, names: Sequence[str] = RESULTS) -> list[str]:
    """Steps and all that they read in this study, in an order in which they can be made."""
    found = set(names)
    for one in reversed(all_steps()):
        if one.name in found:
            found |= {above.name for above in upstream_of(one, study)}
    return [one.name for one in all_steps() if one.name in found]

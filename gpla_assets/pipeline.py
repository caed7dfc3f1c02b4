"""The steps of the pipeline, what each depends on, and which are stale.

Each step's rows carry a fingerprint of everything they depend on: code version, settings, input
files and the fingerprints upstream. A step is stale when the fingerprint that the study implies
differs from the stored one, so that `gpla status` can say why without running anything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from gpla_assets.content import CONTENT
from gpla_assets.studies import PROJECT_ROOT, Study, fingerprint

LARGE_FILE = 20_000_000
"""Bytes; larger inputs are not read to learn whether they changed."""


Partitions = Literal["subjects", "runs"]
"""Subjects of the study, or its runs of alignment (system, LLM, seed)."""


@dataclass(frozen=True)
class Step:
    """A step: its upstream steps, the settings it reads and what partitions it.

    `whole_upstream` names partitioned steps of which all partitions are read.
    """

    name: str
    upstream: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    partitions: Partitions | None = None
    whole_upstream: tuple[str, ...] = ()
    code_version: str = "1"


STEPS: tuple[Step, ...] = (
    Step("texts", (), ("corpus", "seed"), ("corpus",)),
    Step("questions", (), ("questions", "parser"), ("subjects", "questions.csv")),
    Step("subjects", (), ("subjects",), ("subjects", "added", "profiles.yaml")),
    Step(
        "responses",
        ("questions",),
        ("subjects",),
        ("subjects", "profiles.yaml"),
        partitions="subjects",
    ),
    Step("perceptions", ("texts",), ("parser",), ("neutral_sentences.csv", "value_items.csv")),
    Step(
        "subject_perceptions",
        ("responses",),
        ("parser",),
        ("neutral_sentences.csv", "value_items.csv"),
        partitions="subjects",
    ),
    Step("values", (), (), ("vocabulary.csv",)),
    Step(
        "perception_values", ("perceptions", "values"), ("generator",), ("evaluator/weights.npz",)
    ),
    Step("value_similarities", ("perception_values",)),
    Step(
        "lexicon",
        ("value_similarities", "values"),
        ("lexicon",),
        ("dbt/lexicon",),
        code_version="4",
    ),
    Step(
        "evaluator",
        (),
        ("evaluator",),
        ("evaluator/weights.npz", "evaluator/cross_weights.npz", "evaluator/held_out.csv"),
    ),
    Step(
        "measurements",
        ("subject_perceptions", "lexicon", "evaluator"),
        ("evaluator",),
        partitions="subjects",
    ),
    Step("value_correlations", (), (), ("dbt/structure",), whole_upstream=("measurements",)),
    Step("factors", ("value_correlations",), ("structure", "seed"), code_version="2"),
    Step("stability", ("factors",), ("structure", "seed")),
    Step("factor_names", ("factors",), ("naming",), ("vocabulary.csv",)),
    Step(
        "reference_measurements",
        ("subject_perceptions", "evaluator"),
        ("evaluator",),
        ("schwartz.yaml",),
        partitions="subjects",
    ),
    Step("schwartz_mapping", ("lexicon",), (), ("schwartz.yaml",)),
    Step(
        "schwartz_relations",
        ("factors", "schwartz_mapping", "factor_names"),
        ("seed",),
        whole_upstream=("reference_measurements",),
    ),
    Step(
        "cfa_fits",
        ("factors", "schwartz_mapping"),
        ("structure", "cfa", "seed", "systems"),
        ("systems",),
        code_version="2",
    ),
    Step("criteria", ("subjects",), ("probe",), ("criteria", "llm_aliases.csv")),
    Step(
        "probes",
        ("criteria", "factors", "schwartz_relations"),
        ("probe", "seed", "systems"),
        ("systems",),
    ),
    Step(
        "validation_texts",
        (),
        ("validation", "questions", "parser", "seed", "subjects"),
        ("validation", "llm_aliases.csv", "topics.csv"),
    ),
    Step(
        "validation_perceptions",
        ("validation_texts",),
        ("parser",),
        ("neutral_sentences.csv", "value_items.csv"),
    ),
    Step(
        "validation_measurements",
        ("validation_perceptions", "lexicon", "evaluator"),
        ("evaluator", "lexicon"),
        ("schwartz.yaml",),
    ),
    Step(
        "coverage",
        ("validation_measurements",),
        ("validation",),
        whole_upstream=("measurements", "reference_measurements"),
    ),
    Step(
        "consistency",
        ("validation_measurements", "factors", "criteria"),
        ("seed",),
        whole_upstream=("measurements",),
    ),
    Step(
        "direct_lexicon",
        ("lexicon", "schwartz_relations"),
        ("seed",),
        ("direct_lists", "schwartz.yaml"),
    ),
    Step("external_validity", (), (), ("evaluator/external_validity.csv",)),
    Step("preferences", (), ("targets", "parser", "seed"), ("preferences",)),
    Step(
        "preference_perceptions",
        ("preferences",),
        ("parser",),
        ("neutral_sentences.csv", "value_items.csv"),
    ),
    Step(
        "preference_measurements",
        ("preference_perceptions", "lexicon", "evaluator", "factor_names"),
        ("evaluator", "lexicon", "targets"),
        ("schwartz.yaml", "vocabulary.csv", "published_factors.csv", "dbt/seeds"),
    ),
    Step("targets", ("preference_measurements", "factors"), ("targets", "seed")),
    Step("target_checks", ("preference_measurements", "factors"), ("targets", "seed")),
    Step(
        "policies",
        ("evaluator", "targets"),
        ("alignment", "parser", "evaluator"),
        ("alignment", "schwartz.yaml", "dbt/seeds"),
        partitions="runs",
    ),
    Step(
        "judgements",
        (),
        ("alignment",),
        ("judges/preference.npz", "judges/preference_with_length.npz"),
        whole_upstream=("policies",),
    ),
    Step("alignment_results", ("judgements",), ("seed",), whole_upstream=("policies",)),
)
BY_NAME: dict[str, Step] = {step.name: step for step in STEPS}


@dataclass(frozen=True)
class Stale:
    """A step (one partition of it) whose rows are not what the study implies, and why."""

    step: str
    partition_key: str
    reason: str


def folder_stamp(folder: Path, pattern: str) -> str:
    """A hash of the contents of a folder's files."""
    files = sorted(path for path in folder.rglob(pattern) if "target" not in path.parts)
    return fingerprint([[str(p.relative_to(folder)), p.read_text("utf-8")] for p in files])


def file_stamp(path: Path | None) -> str:
    """What tells that a file changed: its hash, or of a large one size and time; or 'missing'."""
    if path is None or not path.is_file():
        return "missing"
    stat = path.stat()
    if stat.st_size > LARGE_FILE:
        return f"{stat.st_size}-{stat.st_mtime_ns}"
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _file_components(step: Step, stamps: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in step.files:
        if name.startswith("dbt/"):
            part = name.removeprefix("dbt/")
            if part == "seeds":
                found[name] = folder_stamp(PROJECT_ROOT / "dbt" / "seeds", "paper_table*.csv")
            else:
                found[name] = folder_stamp(PROJECT_ROOT / "dbt" / "models" / part, "*.sql")
        elif name in stamps:
            found[name] = stamps[name]
        elif name.startswith(("evaluator/", "judges/")):
            found[name] = file_stamp(CONTENT.parent / name)
        else:
            found[name] = file_stamp(CONTENT / name)
    return found


def expected_components(
    study: Study, subjects: Sequence[str], stamps: Mapping[str, Any]
) -> dict[tuple[str, str], dict[str, Any]]:
    """What each step and partition depends on now.

    `stamps` names input files outside the package: `corpus`, `subjects`, `added`; the
    entry `answers` maps a subject to the stamp of its own file where it was added by itself.
    """
    expected: dict[tuple[str, str], dict[str, Any]] = {}
    keys = {None: [""], "subjects": list(subjects), "runs": study.alignment.runs()}
    for step in STEPS:
        base = {
            "code": step.code_version,
            "settings": study.settings(*step.settings) if step.settings else {},
            "files": _file_components(step, stamps),
        }
        for key in keys[step.partitions]:
            if step.name == "responses":
                base = _response_components(step, study, key, stamps)
            if step.partitions == "runs":
                # a further system or seed makes its own run and no other anew
                own = study.settings(*step.settings)
                own["alignment"] = {**own["alignment"], "systems": [], "seeds": []}
                base = base | {"settings": own}
            upstream = {
                name: fingerprint(expected[name, key if BY_NAME[name].partitions else ""])
                for name in step.upstream
            }
            if step.partitions == "runs" and study.alignment.target == "published":
                del upstream["targets"]
            for name in step.whole_upstream:
                parts = [expected[name, part] for part in keys[BY_NAME[name].partitions]]
                upstream[name] = fingerprint([fingerprint(part) for part in parts])
            expected[step.name, key] = base | {"upstream": upstream}
    return expected


def _response_components(
    step: Step, study: Study, subject: str, stamps: Mapping[str, Any]
) -> dict[str, Any]:
    """What one subject's answers depend on: not on which other LLMs the study has."""
    own = stamps.get("answers", {}).get(subject)
    if own:
        return {"code": step.code_version, "settings": {}, "files": {"answers": own}}
    llm = subject.rsplit("|", 1)[0]
    source = next((one for one in study.subjects if one.llms and llm in one.llms), None) or next(
        (one for one in study.subjects if not one.llms), study.subjects[0]
    )
    settings = source.model_dump(mode="json", exclude={"llms", "profiles", "batch_size"})
    files = {"profiles.yaml": stamps.get("profiles.yaml")}
    if source.backend == "recorded":
        files["answers"] = stamps.get("subjects", {}).get(source.source, "missing")
    return {"code": step.code_version, "settings": {"subjects": settings}, "files": files}


def stale_steps(
    expected: Mapping[tuple[str, str], dict[str, Any]], runs: pd.DataFrame
) -> list[Stale]:
    """The steps and partitions to run, in pipeline order, each with its reason."""
    stored = {
        (row.asset, row.partition_key): (row.fingerprint, row.components)
        for row in runs.itertuples()
    }
    stale = []
    for (step, key), components in expected.items():
        found = stored.get((step, key))
        if found is None:
            stale.append(Stale(step, key, "never made"))
        elif found[0] != fingerprint(components):
            stale.append(Stale(step, key, _difference(json.loads(str(found[1])), components)))
    return stale


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    differs: Callable[[str], list[str]] = lambda part: sorted(  # noqa: E731
        name
        for name in {*old.get(part, {}), *new.get(part, {})}
        if old.get(part, {}).get(name) != new.get(part, {}).get(name)
    )
    reasons = [
        f"{part} changed: {', '.join(differs(part))}"
        for part in ("settings", "files", "upstream")
        if differs(part)
    ]
    if old.get("code") != new.get("code"):
        reasons.append("code version changed")
    return "; ".join(reasons) or "changed"

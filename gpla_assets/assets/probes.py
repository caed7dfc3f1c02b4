"""Criteria of LLMs predicted from their values (the paper's 5.2)."""

from dataclasses import replace

import pandas as pd

from gpla_assets.assets.measurements import LEVELS
from gpla_assets.benchmarks.probe_designs import FEWEST_LLMS
from gpla_assets.benchmarks.safety import (
    OURS,
    Features,
    Predicted,
    llm_factors,
    predict,
)
from gpla_assets.benchmarks.systems import read_system, restricted, system_of_loadings
from gpla_assets.content import llm_aliases
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.sources.criteria import CRITERIA, criterion_path, matched
from gpla_assets.studies import CriterionSource, Study, data_dir

FACTOR_SCORES = """
select s.llm, f.factor, avg(f.score) as score
from analysis.factor_scores f join evidence.subjects s using (subject_id) group by s.llm, f.factor
"""
SCHWARTZ_SCORES = """
select s.llm, f.reading, f.level, f.schwartz, avg(f.score) as score
from analysis.schwartz_scores f join evidence.subjects s using (subject_id)
group by s.llm, f.reading, f.level, f.schwartz
"""
LENGTHS = """
select s.llm, avg(length(r.answer)) as length
from evidence.responses r join evidence.subjects s using (subject_id) group by s.llm
"""
CRITERIA_HERE = "select criterion, kind, n_llms from analysis.criteria order by criterion"
FAMILIES = "select llm, family from evidence.llms where family is not null"
SAFETY, CONTROL = "safety", "control"
LOADINGS = 'select factor, "value", keyed, is_primary from analysis.loadings where kept'


@step(
    stage="9_benchmarks",
    tables=("criteria", "criterion_scores"),
    upstream=("subjects",),
    settings=("probe.criteria", "probe.matches", "probe.exact_below"),
    inputs=("criteria",),
    asked_by="probe.criteria",
)
def criteria(made: Making) -> None:
    """Scores of LLMs from other sources, matched with the LLMs of the study."""
    own = made.study.probe
    llms = list(made.read("select llm from evidence.llms order by llm")["llm"])
    sources, scores = [], []
    for source in own.criteria:
        reader = CRITERIA[source.source]
        path = criterion_path(source.source, data_dir(), source.file)
        scored = reader.read(path, source.part)
        found = matched(scored, llm_aliases(), llms, own.matches, source.source)
        name = source.name or ", ".join([reader.title, *filter(None, [source.part])])
        scores.append(found.assign(criterion=name))
        sources.append(_criterion(source, name, found, own.exact_below))
    columns = ["criterion", "name", "score", "llm", "match"]
    made.write("criteria", pd.DataFrame(sources))
    made.write("criterion_scores", pd.concat(scores)[columns])
    made.details = {str(row["criterion"]): f"{row['n_llms']} LLMs" for row in sources}


def _criterion(
    source: CriterionSource, name: str, found: pd.DataFrame, exact_below: int
) -> dict[str, object]:
    reader, n = CRITERIA[source.source], found["llm"].nunique()
    caution = None
    if n < FEWEST_LLMS:
        caution = (
            f"{n} of the study's LLMs have a score, expected at least {FEWEST_LLMS}: not predicted."
        )
    elif n < exact_below:
        caution = f"{n} LLMs make {n * (n - 1) // 2} pairs: their intervals say how little is known"
    return {
        "criterion": name,
        "kind": source.kind or reader.kind,
        "unit": reader.unit,
        "source": str(source.file or reader.file),
        "n_names": len(found),
        "n_llms": n,
        "caution": caution,
    }


@step(
    stage="9_benchmarks",
    tables=("probe_accuracies", "probe_parameters", "probe_nulls"),
    upstream=(
        "subjects",
        "responses",
        "value_correlations",
        "criteria",
        "factors",
        "schwartz_relations",
    ),
    settings=(
        "probe.repeats",
        "probe.test_share",
        "probe.exact_below",
        "probe.permutations",
        "probe.partitions",
        "seed",
    ),
    inputs=("systems",),
    asked_by="probe.criteria",
)
def probes(made: Making) -> None:
    """How well value systems tell which of two LLMs is safer, or more helpful."""
    settings, found = made.study, Predicted()
    kinds = made.read(CRITERIA_HERE).set_index("criterion")
    scores = _scores_by_llm(made)
    controls = {name: scores[name] for name in kinds.index[kinds["kind"] == CONTROL]}
    features = replace(llm_features(made, settings), controls=controls)
    for name, row in kinds[kinds["kind"] != CONTROL].iterrows():
        if row["n_llms"] >= FEWEST_LLMS:
            predict(
                *(str(name), scores[name], features, settings.probe, found, settings.seed),
                controlled=row["kind"] == SAFETY,
            )
    accuracies, parameters, nulls = found.frames()
    made.write("probe_accuracies", accuracies)
    made.write("probe_parameters", parameters)
    made.write("probe_nulls", nulls)


def _scores_by_llm(made: Making) -> dict[str, pd.Series]:
    """Scores of our LLMs by criterion; where two names are one LLM, the closer match counts."""
    scores = made.read(
        'select criterion, llm, score, "match" from analysis.criterion_scores where llm is not null'
    )
    order = scores["match"].map({"same": 0, "version": 1, "near": 2})
    nearest = scores.assign(order=order).sort_values("order", kind="stable")
    nearest = nearest.drop_duplicates(["criterion", "llm"]).set_index("llm")
    none = pd.Series(dtype=float)
    found = {str(name): own["score"] for name, own in nearest.groupby("criterion")}
    names = made.read(CRITERIA_HERE)["criterion"]
    return {str(name): found.get(str(name), none) for name in names}


def llm_features(made: Making, settings: Study) -> Features:
    """LLMs by their values: means over their profiles."""
    cells = made.read('select llm, "value", score from marts.llm_values where score is not null')
    values = cells.pivot(index="llm", columns="value", values="score")
    ours_scores = made.read(FACTOR_SCORES)
    systems: dict[str, pd.DataFrame] = {
        OURS: ours_scores.pivot(index="llm", columns="factor", values="score")
    }
    schwartz = made.read(SCHWARTZ_SCORES)
    for key, rows in schwartz.groupby(["level", "reading"]):
        level, reading = map(str, key)
        systems[f"{LEVELS[level]}, {reading}"] = rows.pivot(
            index="llm", columns="schwartz", values="score"
        )
    for path in settings.systems:
        system = read_system(path)
        systems[system.name] = llm_factors(values, restricted(system, list(values.columns)))
    ours = system_of_loadings(OURS, made.read(LOADINGS))
    length = made.read(LENGTHS).set_index("llm")["length"]
    families = dict(made.read(FAMILIES).itertuples(index=False))
    return Features(systems, values, length, ours, families=families)

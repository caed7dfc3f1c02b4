"""Subject x value scores -> the value system, its stability and the names of its factors."""

from collections.abc import Sequence

import pandas as pd

from gpla_assets.content import vocabulary
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.generator.backends import make_namer
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.psychometrics.congruence import factor_congruence
from gpla_assets.psychometrics.frozen import FrozenSystem
from gpla_assets.psychometrics.history import frozen_system, history_rows, loading_rows
from gpla_assets.psychometrics.matrix import centred
from gpla_assets.psychometrics.naming import CENTROID_VALUES, name_table
from gpla_assets.psychometrics.stability import bootstrap, leave_one_out
from gpla_assets.psychometrics.structure import ValueSystem, other_rotations, value_system
from gpla_assets.psychometrics.variance import system_variances
from gpla_assets.studies import Study
from gpla_assets.validation.study_validity import unreliable

SCORES = 'select subject_id, "value", score, n from marts.subject_values'
SUBJECTS = "select subject_id, llm, profile from evidence.subjects order by subject_id"
EXPRESSIONS = "select * from evidence.expressions where lexicon = 'lexicon'"
SHARED = """
with
own as (
    select distinct perception_id, "value" from evidence.measurements
    where lexicon = 'lexicon' and relevance > ? and list_contains(?, "value")
),
counts as (select "value", count(*) as n from own group by "value"),
shared as (
    select a."value" as value_a, b."value" as value_b, count(*) as n
    from own as a join own as b using (perception_id)
    where a."value" <> b."value" group by all
)
select value_a, value_b, shared.n / (first.n + second.n - shared.n) as shared_perceptions
from shared
join counts as first on first."value" = value_a
join counts as second on second."value" = value_b
"""
PRIMARY = """
select factor, "value", loading from analysis.loadings where is_primary
order by factor, abs(loading) desc, "value"
"""


@step(
    stage="7_factors",
    tables=(
        "loadings",
        "suitability",
        "value_suitability",
        "eigenvalues",
        "factor_retention",
        "communities",
        "redundant_values",
        "response_bias",
        "factor_fit",
        "rotations",
        "factor_correlations",
        "value_removals",
        "reliabilities",
        "value_reliabilities",
        "factor_scores",
        "variance_components",
        "frozen_scores",
    ),
    upstream=("subjects", "measurements", "value_correlations"),
    settings=("structure", "measurement.rule", "seed"),
)
def factors(made: Making) -> None:
    """The value system: suitability, scree, loadings, removals, reliabilities and scores."""
    settings = made.study
    subjects = made.read(SUBJECTS).set_index("subject_id")
    caution = unreliable(
        made.read(EXPRESSIONS), subjects.reset_index(), settings.measurement.rule, settings.seed
    )
    system, matrix = _system(made, settings, subjects, [caution] if caution else [])
    made.write("suitability", system.suitability.assign(matrix="subject_values"))
    made.write("value_suitability", system.value_suitability)
    made.write("eigenvalues", system.eigenvalues)
    made.write("factor_retention", system.retention)
    made.write("communities", system.communities)
    made.write("redundant_values", _with_shared(made, system.redundancy))
    assert system.bias is not None  # the study names the LLMs
    made.write("response_bias", system.bias.assign(matrix="subject_values"))
    made.write("factor_fit", system.fit.assign(matrix="subject_values"))
    made.write("loadings", system.loadings)
    made.write("rotations", other_rotations(system, settings.structure))
    made.write("factor_correlations", system.factor_correlations)
    made.write("value_removals", system.removals)
    made.write("reliabilities", system.reliabilities)
    made.write("value_reliabilities", system.value_reliabilities)
    made.write("factor_scores", system.scores)
    made.write("variance_components", system_variances(system, subjects))
    _write_history(made, system, subjects)
    _write_frozen(made, centred(matrix, settings.structure.centre), settings.structure.frozen)
    made.details |= {"cautions": list(system.cautions)}


@step(
    stage="7_factors",
    tables=("stability_factors", "stability_loadings", "stability_retention", "leave_one_out"),
    upstream=("subjects", "value_correlations", "factors"),
    settings=("structure", "seed"),
)
def stability(made: Making) -> None:
    """The value system over resampled LLMs, over resampled subjects, and without each LLM."""
    settings, seed = made.study.structure, made.study.seed
    subjects = made.read(SUBJECTS).set_index("subject_id")
    system, _ = _system(made, made.study, subjects)
    llms = list(subjects["llm"].reindex(system.usable.index))
    by_llm = bootstrap(system.usable, system.pattern, settings, llms, seed)
    by_subject = bootstrap(system.usable, system.pattern, settings, seed=seed)
    found = (by_llm, by_subject)
    made.write("stability_loadings", pd.concat([one.loadings for one in found]))
    made.write("stability_factors", pd.concat([one.factors for one in found]))
    made.write("stability_retention", pd.concat([one.retention for one in found]))
    made.write("leave_one_out", leave_one_out(system.usable, system.pattern, settings, llms))
    made.details = {"cautions": [one.caution for one in found if one.caution]}


@step(
    stage="7_factors",
    tables=("factor_names", "paper_congruence"),
    upstream=("factors",),
    settings=("naming.names",),
    agents=("namer if naming.llm",),
)
def factor_names(made: Making) -> None:
    """Names of factors, and which of the paper's factors each is most like."""
    settings = made.study.naming
    primary = made.read(PRIMARY)
    terms = list(dict.fromkeys([*primary["value"], *vocabulary()["value"]]))
    asked: dict[str, str] = {}
    if settings.llm is not None:
        tops = {
            str(factor): dict(own.head(CENTROID_VALUES)[["value", "loading"]].to_numpy())
            for factor, own in primary.groupby("factor")
        }
        asked = make_namer(settings.llm, made.asking()).names(tops)
    encode = make_embedder().encode
    made.write("factor_names", name_table(primary, terms, encode, settings.names, asked))
    paper = made.read('select factor, "value", loading from paper.loadings')
    theirs = paper.pivot(index="value", columns="factor", values="loading").fillna(0.0)
    ours = made.read('select factor, "value", loading from analysis.loadings')
    ours = ours.pivot(index="value", columns="factor", values="loading")
    matches = factor_congruence(ours, theirs).rename(columns={"other_factor": "paper_factor"})
    made.write("paper_congruence", matches)


def _system(
    made: Making, settings: Study, subjects: pd.DataFrame, told: Sequence[str] = ()
) -> tuple[ValueSystem, pd.DataFrame]:
    cells = made.read(SCORES)
    matrix = cells.pivot(index="subject_id", columns="value", values="score").sort_index()
    counts = cells.pivot(index="subject_id", columns="value", values="n")
    llms = list(subjects["llm"].reindex(matrix.index))
    known = made.read("select * from marts.value_correlations")
    system = value_system(matrix, settings.structure, llms, counts, settings.seed, known, told)
    return system, matrix


def _with_shared(made: Making, pairs: pd.DataFrame) -> pd.DataFrame:
    """`pairs` with the share of perceptions that are relevant to both of those to either."""
    if pairs.empty:
        return pairs.assign(shared_perceptions=[])
    values = sorted({*pairs["value_a"], *pairs["value_b"]})
    counts = made.read(SHARED, [made.study.measurement.top_relevance, values])
    joined = pairs.merge(counts, on=["value_a", "value_b"], how="left")
    return joined.fillna({"shared_perceptions": 0.0})


def _write_history(made: Making, system: ValueSystem, subjects: pd.DataFrame) -> None:
    """Keep the system under its key; older systems stay."""
    stored = made.read("select * from analysis.value_systems")
    loadings = made.read("select * from analysis.value_system_loadings")
    key = system.frozen.key
    n_llms = subjects["llm"].reindex(system.usable.index).nunique()
    made.write("value_systems", history_rows(system, stored, n_llms), "system_id", [key])
    made.write("value_system_loadings", loading_rows(system.frozen), "system_id", [key])
    compared = [
        frozen_system(stored, loadings, other)
        .compared(system.frozen)
        .assign(system_id=key, other_id=other)
        for other in stored["system_id"]
        if other != key
    ]
    columns = ["system_id", "other_id", "factor", "other_factor", "congruence", "shared_values"]
    rows = pd.concat(compared) if compared else pd.DataFrame(columns=columns)
    made.write("system_congruence", rows[columns], "system_id", [key])
    made.details["system"] = key


def _write_frozen(made: Making, matrix: pd.DataFrame, key: str | None) -> None:
    """Score all subjects on the stored system that the study names, if any."""
    columns = ["system_id", "subject_id", "factor", "score", "n_values"]
    if key is None:
        made.write("frozen_scores", pd.DataFrame(columns=columns))
        return
    stored = made.read("select * from analysis.value_systems")
    loadings = made.read("select * from analysis.value_system_loadings")
    system: FrozenSystem = frozen_system(stored, loadings, key)
    made.write("frozen_scores", system.score(matrix).assign(system_id=key)[columns])

"""What the validation studies find: coverage, consistency, lists named when asked, ratings."""

import numpy as np
import pandas as pd

from gpla_assets.agents import make_embedder
from gpla_assets.assets.measurements import LEXICON
from gpla_assets.assets.validation import SCHWARTZ
from gpla_assets.benchmarks.circumplex import CIRCLE, circumplex_fit, cooccurrence, cooccurrence_phi
from gpla_assets.benchmarks.consistency import consistency as consistent
from gpla_assets.benchmarks.consistency import with_criterion
from gpla_assets.benchmarks.coverage import coverage as covered
from gpla_assets.benchmarks.direct_lexicon import (
    direct_terms,
    filtered_terms,
    lists_as_schwartz,
    schwartz_coverage,
)
from gpla_assets.content import CONTENT, schwartz
from gpla_assets.evaluator.weights import external_validity_rows
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step

MEASURED = "measured values"
FEWEST_SUBJECTS = 20
"""Subjects that two of Schwartz's values need for a correlation that is worth comparing."""

OF_TEXTS = """
select t."text" as conversation, t.prompt_set, t.llm, t.sample, m.perception as unit, m."value",
    m.lexicon, m.score
from validation_measurements m join validation_perceptions p using (perception)
join validation_texts t using ("text")
"""
OF_RESPONSES = """
select r.response as conversation, r.question, s.llm, m.perception as unit, m."value", m.score
from {table} m join perceptions p using (perception) join responses r on p.parent = r.response
join subjects s on r.subject = s.subject
"""


@step(
    stage="10_validation",
    tables=("coverage",),
    upstream=(
        "responses",
        "subject_perceptions",
        "measurements",
        "reference_measurements",
        "lexicon",
        "validation_texts",
        "validation_perceptions",
        "validation_measurements",
    ),
    settings=("validation.conversations", "lexicon.size"),
)
def coverage(made: Making) -> None:
    """How many values the lexicon, and Schwartz's ten, find in conversations (B.1)."""
    if made.study.validation.conversations == "responses":
        texts, counts, lists = _own_responses(made)
    else:
        texts, counts, lists = _conversations(made)
    rows = covered(texts, counts, lists)
    made.write("coverage", rows)
    by_list = rows.groupby("lexicon")["n_values"]
    made.details = {
        f"{name}: values a conversation": float(mean) for name, mean in by_list.mean().items()
    }


Covered = tuple[pd.DataFrame, pd.Series, dict[str, pd.DataFrame]]


def _conversations(made: Making) -> Covered:
    texts = made.read(
        'select "text" as conversation, topic, value_laden from validation_texts '
        "where sample = 'conversations'"
    )
    counts = made.read('select "text", count(*) as n from validation_perceptions group by "text"')
    found = made.read(f"{OF_TEXTS} where t.sample = 'conversations'")
    ours = found[found["lexicon"] == "lexicon"]
    few = made.read(LEXICON).head(made.study.lexicon.size or len(ours))["value"]
    return (
        texts,
        counts.set_index("text")["n"],
        {
            "lexicon": ours,
            MEASURED: ours[ours["value"].isin(few)],
            SCHWARTZ: found[found["lexicon"] == SCHWARTZ],
        },
    )


def _own_responses(made: Making) -> Covered:
    texts = made.read(
        "select response as conversation, 'responses of subjects' as topic, true as value_laden "
        "from responses"
    )
    counts = made.read(
        "select parent, count(*) as n from perceptions where origin = 'response' group by parent"
    )
    ten = set(schwartz().query("level == 'lower'")["value"])
    direct = made.read(OF_RESPONSES.format(table="reference_measurements"))
    return (
        texts,
        counts.set_index("parent")["n"],
        {
            MEASURED: made.read(OF_RESPONSES.format(table="measurements")),
            SCHWARTZ: direct[direct["value"].isin(ten)],
        },
    )


@step(
    stage="10_validation",
    tables=("consistency", "consistency_criteria"),
    upstream=(
        "subjects",
        "responses",
        "subject_perceptions",
        "measurements",
        "factors",
        "criteria",
        "lexicon",
        "validation_texts",
        "validation_perceptions",
        "validation_measurements",
    ),
    settings=("seed",),
)
def consistency(made: Making) -> None:
    """One row per LLM and pair of prompt sets: how alike its two profiles are (B.3)."""
    seed = made.study.seed
    rows = made.read(f"{OF_RESPONSES.format(table='measurements')} order by 1, 4, 5")
    asked = sorted(set(rows["question"]))
    random = np.random.default_rng(seed)
    first = set(random.permutation(np.array(asked, dtype=object))[: len(asked) // 2])
    halves = np.where(rows["question"].isin(first), "questions, half 1", "questions, half 2")
    further = made.read(f"{OF_TEXTS} where t.sample = 'prompt sets' order by 5, 6")
    loadings = made.read('select factor, "value", keyed from loadings where is_primary')
    frames = []
    for part in (rows.assign(prompt_set=halves), further):
        scored = part.dropna(subset=["score"])
        frames.append(consistent(scored, "values", seed))
        by_factor = scored.merge(loadings, on="value")
        by_factor = by_factor.assign(
            value=by_factor["factor"], score=by_factor["score"] * by_factor["keyed"]
        )
        frames.append(consistent(by_factor, "factors", seed))
    found = pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
    made.write("consistency", found)
    made.write("consistency_criteria", _criterion_rows(made, found, seed))


def _criterion_rows(made: Making, found: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Whether consistent LLMs score higher, of the paper's LLMs and of ours."""
    paper = made.read("from paper_table11").set_index("llm")
    rows = [
        (
            *("the paper's Table 11", "SALAD-Bench (the paper's Table 11)"),
            *with_criterion(paper["intra_llm_correlation"], paper["salad_safety_score"], seed),
        )
    ]
    scores = made.read(
        "select criterion, llm, max(score) as score from criterion_scores "
        "where llm is not null group by criterion, llm"
    )
    for level, statistic in ((a, b) for a in ("values", "factors") for b in ("r", "r_centred")):
        own = found[found["level"] == level].groupby("llm")[statistic].mean()
        for criterion, part in scores.groupby("criterion"):
            by_llm = part.set_index("llm")["score"]
            rows.append((f"{level}, {statistic}", criterion, *with_criterion(own, by_llm, seed)))
    return pd.DataFrame(rows, columns=["basis", "criterion", "r", "low", "high", "n"])


@step(
    stage="10_validation",
    tables=("direct_coverage", "direct_terms", "circumplex", "circumplex_fit"),
    upstream=("lexicon", "schwartz_relations"),
    settings=("seed",),
    inputs=("direct_lists",),
)
def direct_lexicon(made: Making) -> None:
    """Values that LLMs name when asked, beside ours and beside Schwartz's circle (C)."""
    settings = made.study
    path = settings.validation.direct_file or CONTENT / "direct_lists.csv"
    terms = direct_terms(pd.read_csv(path, dtype=str, keep_default_na=False))
    encode, ten = make_embedder().encode, list(CIRCLE)
    lexicons = {
        "ours": list(made.read('select "value" from lexicon order by rank')["value"]),
        "direct": sorted(set(terms["term"])),
        "direct, filtered": filtered_terms(terms, encode),
    }
    found = [
        schwartz_coverage(values, ten, encode).assign(lexicon=name)
        for name, values in lexicons.items()
    ]
    subjects = made.read(
        "select subject, schwartz, score from schwartz_scores "
        "where reading = 'direct' and level = 'lower'"
    ).pivot(index="subject", columns="schwartz", values="score")
    lists = lists_as_schwartz(terms, ten, encode)
    matrices = {
        "co-occurrence": cooccurrence(lists),
        "co-occurrence, phi": cooccurrence_phi(lists),
        "measurements": subjects.reindex(columns=ten).corr(min_periods=FEWEST_SUBJECTS),
    }
    fits = [
        circumplex_fit(matrix, seed=settings.seed).assign(reading=reading)
        for reading, matrix in matrices.items()
    ]
    made.write("direct_terms", terms)
    made.write("direct_coverage", pd.concat(found))
    made.write("circumplex", pd.concat([_pairs(m, r) for r, m in matrices.items()]))
    made.write("circumplex_fit", pd.concat(fits))


def _pairs(matrix: pd.DataFrame, reading: str) -> pd.DataFrame:
    rows = [
        (reading, a, b, matrix.loc[a, b]) for a in matrix.index for b in matrix.columns if a != b
    ]
    return pd.DataFrame(rows, columns=["reading", "schwartz_a", "schwartz_b", "number"])


@step(
    stage="10_validation",
    tables=("external_validity",),
)
def external_validity(made: Making) -> None:
    """Agreement of M_E with ValueBench's ratings, on values that its training had not seen."""
    made.write("external_validity", external_validity_rows())

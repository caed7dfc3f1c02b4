"""What the validation studies find: coverage, consistency, lists named when asked, ratings."""

import dagster as dg
import numpy as np
import pandas as pd

from gpla_assets.agents import make_embedder
from gpla_assets.assets.factors import factors
from gpla_assets.assets.measurements import LEXICON, measurements
from gpla_assets.assets.probes import criteria
from gpla_assets.assets.schwartz import reference_measurements, schwartz_relations
from gpla_assets.assets.shown import shown
from gpla_assets.assets.validation import GROUP, SCHWARTZ, validation_measurements
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
from gpla_assets.resources import StudyResource, making

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


@dg.asset(
    group_name=GROUP,
    **shown("coverage"),
    deps=[validation_measurements, measurements, reference_measurements],
)
def coverage(study: StudyResource) -> dg.MaterializeResult:
    """How many values the lexicon, and Schwartz's ten, find in conversations (B.1)."""
    with making(study, "coverage") as made:
        if study.load().validation.conversations == "responses":
            texts, counts, lists = _own_responses(study)
        else:
            texts, counts, lists = _conversations(study)
        rows = covered(texts, counts, lists)
        made.write("coverage", rows)
        by_list = rows.groupby("lexicon")["n_values"]
        made.details = {
            f"{name}: values a conversation": float(mean) for name, mean in by_list.mean().items()
        }
    assert made.result is not None
    return made.result


Covered = tuple[pd.DataFrame, pd.Series, dict[str, pd.DataFrame]]


def _conversations(study: StudyResource) -> Covered:
    texts = study.read(
        'select "text" as conversation, topic, value_laden from validation_texts '
        "where sample = 'conversations'"
    )
    counts = study.read('select "text", count(*) as n from validation_perceptions group by "text"')
    found = study.read(f"{OF_TEXTS} where t.sample = 'conversations'")
    ours = found[found["lexicon"] == "lexicon"]
    few = study.read(LEXICON).head(study.load().lexicon.size or len(ours))["value"]
    return (
        texts,
        counts.set_index("text")["n"],
        {
            "lexicon": ours,
            MEASURED: ours[ours["value"].isin(few)],
            SCHWARTZ: found[found["lexicon"] == SCHWARTZ],
        },
    )


def _own_responses(study: StudyResource) -> Covered:
    texts = study.read(
        "select response as conversation, 'responses of subjects' as topic, true as value_laden "
        "from responses"
    )
    counts = study.read(
        "select parent, count(*) as n from perceptions where origin = 'response' group by parent"
    )
    ten = set(schwartz().query("level == 'lower'")["value"])
    direct = study.read(OF_RESPONSES.format(table="reference_measurements"))
    return (
        texts,
        counts.set_index("parent")["n"],
        {
            MEASURED: study.read(OF_RESPONSES.format(table="measurements")),
            SCHWARTZ: direct[direct["value"].isin(ten)],
        },
    )


@dg.asset(
    group_name=GROUP,
    **shown("consistency"),
    deps=[validation_measurements, measurements, factors, criteria],
)
def consistency(study: StudyResource) -> dg.MaterializeResult:
    """One row per LLM and pair of prompt sets: how alike its two profiles are (B.3)."""
    with making(study, "consistency") as made:
        seed = study.load().seed
        rows = study.read(f"{OF_RESPONSES.format(table='measurements')} order by 1, 4, 5")
        asked = sorted(set(rows["question"]))
        random = np.random.default_rng(seed)
        first = set(random.permutation(np.array(asked, dtype=object))[: len(asked) // 2])
        halves = np.where(rows["question"].isin(first), "questions, half 1", "questions, half 2")
        further = study.read(f"{OF_TEXTS} where t.sample = 'prompt sets' order by 5, 6")
        loadings = study.read('select factor, "value", keyed from loadings where is_primary')
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
        made.write("consistency_criteria", _criterion_rows(study, found, seed))
    assert made.result is not None
    return made.result


def _criterion_rows(study: StudyResource, found: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Whether consistent LLMs score higher, of the paper's LLMs and of ours."""
    paper = study.read("from paper_table11").set_index("llm")
    rows = [
        (
            *("the paper's Table 11", "SALAD-Bench (the paper's Table 11)"),
            *with_criterion(paper["intra_llm_correlation"], paper["salad_safety_score"], seed),
        )
    ]
    scores = study.read(
        "select criterion, llm, max(score) as score from criterion_scores "
        "where llm is not null group by criterion, llm"
    )
    for level, statistic in ((a, b) for a in ("values", "factors") for b in ("r", "r_centred")):
        own = found[found["level"] == level].groupby("llm")[statistic].mean()
        for criterion, part in scores.groupby("criterion"):
            by_llm = part.set_index("llm")["score"]
            rows.append((f"{level}, {statistic}", criterion, *with_criterion(own, by_llm, seed)))
    return pd.DataFrame(rows, columns=["basis", "criterion", "r", "low", "high", "n"])


@dg.asset(group_name=GROUP, **shown("direct_lexicon", "direct_terms"), deps=[schwartz_relations])
def direct_lexicon(study: StudyResource) -> dg.MaterializeResult:
    """Values that LLMs name when asked, beside ours and beside Schwartz's circle (C)."""
    with making(study, "direct_lexicon") as made:
        settings = study.load()
        path = settings.validation.direct_file or CONTENT / "direct_lists.csv"
        terms = direct_terms(pd.read_csv(path, dtype=str, keep_default_na=False))
        encode, ten = make_embedder().encode, list(CIRCLE)
        lexicons = {
            "ours": list(study.read('select "value" from lexicon order by rank')["value"]),
            "direct": sorted(set(terms["term"])),
            "direct, filtered": filtered_terms(terms, encode),
        }
        found = [
            schwartz_coverage(values, ten, encode).assign(lexicon=name)
            for name, values in lexicons.items()
        ]
        subjects = study.read(
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
    assert made.result is not None
    return made.result


def _pairs(matrix: pd.DataFrame, reading: str) -> pd.DataFrame:
    rows = [
        (reading, a, b, matrix.loc[a, b]) for a in matrix.index for b in matrix.columns if a != b
    ]
    return pd.DataFrame(rows, columns=["reading", "schwartz_a", "schwartz_b", "number"])


@dg.asset(group_name=GROUP, **shown("external_validity"))
def external_validity(study: StudyResource) -> dg.MaterializeResult:
    """Agreement of M_E with ValueBench's ratings, on values that its training had not seen."""
    with making(study, "external_validity") as made:
        made.write("external_validity", external_validity_rows())
    assert made.result is not None
    return made.result

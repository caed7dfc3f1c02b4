"""The validation studies (appendices B and C): their texts, and what they find."""

import numpy as np
import pandas as pd

from gpla_assets.assets.measurements import LEVELS, LEXICON, measured_lexicon
from gpla_assets.content import CONTENT, llm_aliases, topics
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.evaluator.weights import external_validity_rows
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.parser.backends import make_parser
from gpla_assets.psychometrics.resampling import halves
from gpla_assets.sources.criteria import criterion_path, read_paper_table11
from gpla_assets.studies import data_dir
from gpla_assets.validation.circumplex import CIRCLE, circumplex_fit, cooccurrence, cooccurrence_phi
from gpla_assets.validation.consistency import consistency as consistent
from gpla_assets.validation.consistency import with_criterion
from gpla_assets.validation.coverage import coverage as covered
from gpla_assets.validation.coverage import labelled
from gpla_assets.validation.direct_lexicon import (
    direct_terms,
    filtered_terms,
    lists_as_schwartz,
    schwartz_coverage,
)
from gpla_assets.validation.texts import (
    COLUMNS,
    conversations,
    drawn_conversations,
    prompt_set_texts,
)

TOPIC_COLUMNS = ["topic", "topic_cosine", "value_laden"]
SCHWARTZ = LEVELS["lower"]
MEASURED = "measured values"
FEWEST_SUBJECTS = 20
"""Subjects that two of Schwartz's values need for a correlation that is worth comparing."""

OF_TEXTS = """
select t.text_id as conversation_id, t.prompt_set, t.llm, t.sample, m.perception_id as unit,
    m."value", m.lexicon, m.score
from evidence.measurements m join evidence.perceptions p using (perception_id)
join evidence.validation_texts t on p.parent_id = t.text_id
where m.origin = 'validation'
"""
OF_RESPONSES = """
select r.response_id as conversation_id, r.question_id, s.llm, m.perception_id as unit, m."value",
    m.lexicon, m.score
from evidence.measurements m join evidence.perceptions p using (perception_id)
join evidence.responses r on p.parent_id = r.response_id
join evidence.subjects s on r.subject_id = s.subject_id
where m.origin = 'subjects'
"""
COUNTS = """
select parent_id, count(*) as n from evidence.perceptions where origin = ? group by parent_id
"""


@step(
    stage="10_validation",
    tables=("validation_texts",),
    settings=("validation", "questions.pilot_llms", "subjects", "seed"),
    agents=("parser",),
    inputs=("validation",),
    asked_by="validation.further_texts",
)
def validation_texts(made: Making) -> None:
    """Texts beyond the subjects' responses: conversations, and answers to further prompts."""
    settings = made.study
    own, frames = settings.validation, [pd.DataFrame(columns=COLUMNS)]
    if own.conversations != "responses":
        candidates = conversations(own, settings.seed)
        asked = sorted(set(candidates["question_text"]))
        found = labelled(asked, topics(), make_embedder().encode).set_axis(asked)
        made.details = {"topics": found["topic"].value_counts().to_dict()}
        frames.append(drawn_conversations(candidates, found, own.n_conversations, settings.seed))
    if own.prompt_sets:
        aliases = llm_aliases()
        aliases = aliases[aliases["source"] == ""]
        parser = make_parser(settings.parser, made.asking())
        scored = criterion_path("paper_table11", data_dir())
        needed = sorted({*aliases["llm"], *read_paper_table11(scored)["name"]})
        llms = [llm for one in settings.subjects for llm in one.llms or []]
        frames.append(
            prompt_set_texts(
                *(own, aliases, llms, needed, settings.questions.pilot_llms, parser),
                settings.seed,
            )
        )
        made.inferences = parser.inferences
    rows = pd.concat(frames, ignore_index=True)
    made.write("validation_texts", rows.reindex(columns=[*COLUMNS, *TOPIC_COLUMNS]))


@step(
    stage="10_validation",
    tables=("coverage",),
    upstream=(
        "responses",
        "subject_perceptions",
        "measurements",
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
        "select text_id as conversation_id, topic, value_laden from evidence.validation_texts "
        "where sample = 'conversations'"
    )
    counts = made.read(COUNTS, ["validation"])
    found = made.read(f"{OF_TEXTS} and t.sample = 'conversations'")
    ours, few = found[found["lexicon"] == LEXICON], measured_lexicon(made)["value"]
    return (
        texts,
        counts.set_index("parent_id")["n"],
        {
            LEXICON: ours,
            MEASURED: ours[ours["value"].isin(few)],
            SCHWARTZ: found[found["lexicon"] == SCHWARTZ],
        },
    )


def _own_responses(made: Making) -> Covered:
    texts = made.read(
        "select response_id as conversation_id, 'responses of subjects' as topic, "
        "true as value_laden from evidence.responses"
    )
    counts, found = made.read(COUNTS, ["subjects"]), made.read(OF_RESPONSES)
    return (
        texts,
        counts.set_index("parent_id")["n"],
        {
            MEASURED: found[found["lexicon"] == LEXICON],
            SCHWARTZ: found[found["lexicon"] == SCHWARTZ],
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
    rows = made.read(f"{OF_RESPONSES} and m.lexicon = 'lexicon' order by 1, 4, 5")
    prompt_sets = np.full(len(rows), "questions, half 2", dtype=object)
    prompt_sets[halves(list(rows["question_id"]), np.random.default_rng(seed))[0]] = (
        "questions, half 1"
    )
    further = made.read(f"{OF_TEXTS} and t.sample = 'prompt sets' order by 5, 6")
    loadings = made.read('select factor, "value", keyed from analysis.loadings where is_primary')
    frames = []
    for part in (rows.assign(prompt_set=prompt_sets), further):
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
    paper = made.read("from paper.consistency").set_index("llm")
    rows = [
        (
            *("the paper's Table 11", "SALAD-Bench (the paper's Table 11)"),
            *with_criterion(paper["intra_llm_correlation"], paper["salad_safety_score"], seed),
        )
    ]
    scores = made.read(
        "select criterion, llm, max(score) as score from analysis.criterion_scores "
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
    settings=(
        "seed",
        "lexicon.rouge_threshold",
        "lexicon.cosine_threshold",
        "lexicon.minimum_frequency",
    ),
    inputs=("direct_lists",),
)
def direct_lexicon(made: Making) -> None:
    """Values that LLMs name when asked, beside ours and beside Schwartz's circle (C)."""
    settings = made.study
    path = settings.validation.direct_file or CONTENT / "direct_lists.csv"
    terms = direct_terms(pd.read_csv(path, dtype=str, keep_default_na=False))
    encode, ten = make_embedder().encode, list(CIRCLE)
    lexicons = {
        "ours": list(made.read('select "value" from marts.lexicon order by rank')["value"]),
        "direct": sorted(set(terms["term"])),
        "direct, filtered": filtered_terms(terms, encode, settings.lexicon),
    }
    found = [
        schwartz_coverage(values, ten, encode, settings.lexicon.cosine_threshold).assign(
            lexicon=name
        )
        for name, values in lexicons.items()
    ]
    subjects = made.read(
        "select subject_id, schwartz, score from analysis.schwartz_scores "
        "where reading = 'direct' and level = 'lower'"
    ).pivot(index="subject_id", columns="schwartz", values="score")
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

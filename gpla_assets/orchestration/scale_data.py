"""Tables and names as a study has them, of any size: what `gpla benchmark scale` measures on."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.storage.file_warehouse import FileWarehouse
from gpla_assets.storage.files import connected

VALUES, PROFILES = 123, 20
"""As the paper has: values of the lexicon, and subjects of an LLM."""
DIMENSIONS = 384

FILL = f"""
insert into evidence.subjects by name
select 'llm ' || lpad((i // {PROFILES})::varchar, 5, '0') || '|profile ' || i % {PROFILES}
        as subject_id,
    'llm ' || lpad((i // {PROFILES})::varchar, 5, '0') as llm,
    'profile ' || i % {PROFILES} as profile
from range($subjects) as t(i);

insert into evidence.expressions by name
with numbers as (
    select i, q, v, hash(i, q, v) as h
    from range($first, $last) as a(i), range($questions) as b(q), range({VALUES}) as c(v)
)
select
    md5(i || ' ' || q) as response_id, 'lexicon' as lexicon, 'value ' || v as "value",
    'llm ' || lpad((i // {PROFILES})::varchar, 5, '0') || '|profile ' || i % {PROFILES}
        as subject_id,
    'question ' || q as question_id, 1 + h % 5 as n, 1 + (h % 5) * 0.25 as weight_sum,
    (h // 7 % 160000) / 10000 - 9 as logit_sum, (h // 11 % 3)::double as relevant_n,
    least(h // 11 % 3, h // 13 % 2)::double as sided_n,
    sided_n * ((h // 17 % 2000) / 1000 - 1) as score_sum, (h % 50 = 0)::int::double as top_n,
    top_n * 0.7 as top_weight, top_weight * ((h // 19 % 2000) / 1000 - 1) as top_sum,
    null as agent_id
from numbers
order by subject_id
"""
PART = 2_000_000
"""Rows that are made at a time."""


def questions_of(rows: int, subjects: int) -> int:
    """Questions that each subject answers, for so many rows: one a subject, question and value."""
    return max(1, round(rows / subjects / VALUES))


def filled(path: Path, rows: int, subjects: int) -> FileWarehouse:
    """A warehouse with subjects and about so many rows of `expressions`, of one question a
    response; each number is a hash of its place, so that every call makes the same ones."""
    warehouse = FileWarehouse(path)
    warehouse.create()
    questions = questions_of(rows, subjects)
    subjects_fill, rows_fill = FILL.split(";")
    step = max(1, PART // (questions * VALUES))
    with warehouse.locked() as file, closing(connected(file)) as connection:
        connection.execute(subjects_fill, {"subjects": subjects})
        for first in range(0, subjects, step):
            last = min(subjects, first + step)
            connection.execute(rows_fill, {"first": first, "last": last, "questions": questions})
    return warehouse


def value_names(n: int, seed: int = 0) -> pd.DataFrame:
    """Frequencies of n names of values: rows (value, frequency).

    One to five words, of which some are in many names and most in few (Zipf), with the small words
    between them; frequencies are as skewed.
    """
    rng = np.random.default_rng(seed)
    starts = ("re", "con", "dis", "pro", "sub", "per", "ex", "in", "self", "inter", "trans", "over")
    roots = ("vert", "ject", "mit", "scrib", "tend", "spect", "form", "port", "duct", "solv", "car")
    ends = ("", "ing", "ed", "ion", "ity", "ness", "able")
    stems = [start + root for start in starts for root in roots]
    words = np.array([f"{stem}{end}{n or ''}" for n in range(12) for stem in stems for end in ends])
    shares = 1 / np.arange(1, len(words) + 1)
    shares /= shares.sum()
    found: dict[str, None] = {}
    while len(found) < n:
        lengths = rng.choice([1, 2, 3, 4], p=[0.1, 0.4, 0.35, 0.15], size=n)
        drawn = iter(rng.choice(words, int(lengths.sum()), p=shares))
        for length in lengths:
            name = [str(next(drawn)) for _ in range(length)]
            if length > 2:
                name.insert(int(rng.integers(1, length)), str(rng.choice(["of", "and", "for"])))
            found.setdefault(" ".join(name).capitalize())
    return pd.DataFrame({"value": list(found)[:n], "frequency": rng.zipf(1.5, n).clip(1, 10**6)})


def embeddings(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors (n, 384) about n / 8 centres, so that each name has some near it."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(20, n // 8), DIMENSIONS)).astype(np.float32)
    vectors = 0.9 * centres[rng.integers(0, len(centres), n)]
    vectors += rng.normal(size=(n, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors

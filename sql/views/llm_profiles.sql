-- One row per LLM and value that it has a score on: the score, what it rests on, beside the other LLMs'.
-- llm: The LLM.
-- value: The value.
-- score: Mean of the LLM's subjects' scores by the study's rule.
-- low: Lower end of its 95% interval over questions.
-- high: Upper end of it.
-- shrunken: The score moved to the value's mean as it is unsure (empirical Bayes).
-- salience: How much they express the value, a mean over subjects.
-- share: How often: the share of sentences that bear on the value.
-- direction: Which way, -1 (against) to 1 (for).
-- n_subjects: Its subjects with a score.
-- n: Perceptions behind them.
-- n_relevant: Perceptions that bear on the value.
-- n_questions: Questions that the score rests on.
-- few: Whether these are fewer than ten.
-- mean_of_others: Mean score of the other LLMs; null where no other has one.
-- difference: score - mean_of_others.
-- difference_low: Lower end of the difference's 95% interval, over the same questions.
-- difference_high: Upper end of it.
-- place: Place of the LLM on this value, the highest score first.
-- n_llms: LLMs with a score on it.
select
    llm, "value", score, low, high, shrunken, salience, "share", direction, n_subjects, n,
    n_relevant, n_questions, few, score - difference as mean_of_others, difference,
    difference_low, difference_high,
    rank() over (partition by "value" order by score desc) as place,
    count(*) over (partition by "value") as n_llms
from marts.llm_values
where score is not null

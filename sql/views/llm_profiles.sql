-- One row per LLM and value that it has a score on: the score beside the other LLMs'.
-- llm: The LLM.
-- value: The value.
-- score: Mean of the LLM's subjects' scores by the study's rule.
-- salience: How much they express the value, a mean over subjects.
-- direction: Which way, -1 (against) to 1 (for).
-- n_subjects: Its subjects with a score.
-- n: Perceptions behind them.
-- mean_of_others: Mean score of the other LLMs; null where no other has one.
-- difference: score - mean_of_others.
-- place: Place of the LLM on this value, the highest score first.
-- n_llms: LLMs with a score on it.
select
    llm, "value", score, salience, direction, n_subjects, n,
    (sum(score) over same_value - score) / nullif(count(*) over same_value - 1, 0)
        as mean_of_others,
    score - mean_of_others as difference,
    rank() over (partition by "value" order by score desc) as place,
    count(*) over same_value as n_llms
from marts.llm_values
where score is not null
window same_value as (partition by "value")

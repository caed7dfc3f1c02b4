-- One row per pair of LLMs (the first by name first) and value that both have a score on.
-- llm_a: An LLM.
-- llm_b: Another.
-- value: The value.
-- score_a: Score of the first by the study's rule.
-- score_b: Score of the second.
-- difference: score_a - score_b.
-- n_a: Perceptions behind score_a.
-- n_b: Perceptions behind score_b.
-- se_a: Standard error of score_a over questions; `gpla compare` gives the difference's own.
-- se_b: Standard error of score_b.
-- n_questions: Questions that the score of fewer rests on.
-- few: Whether one of them rests on fewer than ten.
select
    a.llm as llm_a, b.llm as llm_b, a."value", a.score as score_a, b.score as score_b,
    a.score - b.score as difference, a.n as n_a, b.n as n_b, a.se as se_a, b.se as se_b,
    least(a.n_questions, b.n_questions) as n_questions, a.few or b.few as few
from marts.llm_values as a
inner join marts.llm_values as b on a."value" = b."value" and a.llm < b.llm
where a.score is not null and b.score is not null

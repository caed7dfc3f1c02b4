-- Which perceptions made this score? From an LLM's value back to the sentence in its answer.
-- Variables: llm or subject, and value (where not set: the best covered pair).
with best as (
    select subject_id, "value" from marts.subject_values
    where score is not null
    order by n_relevant desc, subject_id, "value" limit 1
)

select
    m.subject_id, m."value", round(m.score, 3) as score, round(m.relevance, 3) as relevance,
    m.perception, m.words_in_answer, m.start_offset, m.end_offset, m.question, m.response_id
from marts.measured_sentences as m
cross join best
where m."value" = coalesce(getvariable('value'), best."value")
    and (
        m.llm = getvariable('llm')
        or (
            getvariable('llm') is null
            and m.subject_id = coalesce(getvariable('subject'), best.subject_id)
        )
    )
order by m.score nulls last, m.perception_id

-- Which perceptions made this score? From a subject's value back to the sentence in its answer.
-- Variables: subject, value (where not set: the best covered pair).
with best as (
    select subject, "value" from subject_values
    where score is not null
    order by n desc, subject, "value" limit 1
),

chosen as (
    select
        coalesce(getvariable('subject'), best.subject) as subject,
        coalesce(getvariable('value'), best."value") as "value"
    from best
)

select
    m.subject, m."value", round(m.score, 3) as score, round(m.relevance, 3) as relevance,
    p.content as perception, p.sentence as words_in_answer,
    p.start_offset, p.end_offset, q.text as question, r.response
from measurements as m
inner join chosen using (subject, "value")
inner join perceptions as p using (perception)
inner join responses as r on p.parent = r.response
inner join questions as q using (question)
order by m.score nulls last, p.perception

-- What does a subject value? Scores with 95% intervals, by the difference from the other subjects.
-- Variable: subject (the first one by name where it is not set).
with chosen as (
    select coalesce(getvariable('subject'), (select min(subject_id) from evidence.subjects)) as subject_id
)

select
    s.subject_id, s."value", round(s.difference, 3) as difference,
    round(s.difference_low, 3) as difference_low, round(s.difference_high, 3) as difference_high,
    round(s.score, 3) as score, round(s.low, 3) as low, round(s.high, 3) as high,
    round(s."share", 3) as how_often, round(s.direction, 3) as which_way,
    s.n_relevant || '/' || s.n as sentences, s.n_questions as questions, s.few
from marts.subject_values as s
inner join chosen using (subject_id)
where s.score is not null
order by s.difference desc nulls last, s.score desc, s."value"

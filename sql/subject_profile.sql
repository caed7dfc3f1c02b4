-- What does a subject value? Its scores by the study's rule, highest first: how much, which way.
-- Variable: subject (the first one by name where it is not set).
with chosen as (
    select coalesce(getvariable('subject'), (select min(subject_id) from evidence.subjects)) as subject_id
)

select s.subject_id, s."value", round(s.score, 3) as score,
    round(s.salience, 3) as how_much, round(s.direction, 3) as which_way, s.n as perceptions
from marts.subject_values as s
inner join chosen using (subject_id)
where s.score is not null
order by s.score desc, s."value"

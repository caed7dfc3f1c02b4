-- Which two subjects are most unlike in what they value?
with pairs as (
    select
        a.subject as subject_a, b.subject as subject_b, count(*) as shared_values,
        sqrt(avg(power(a.score - b.score, 2))) as distance
    from subject_values as a
    inner join subject_values as b on a."value" = b."value" and a.subject < b.subject
    where a.score is not null and b.score is not null
    group by all
)

select subject_a, subject_b, round(distance, 3) as distance, shared_values
from pairs
where shared_values >= 5
order by pairs.distance desc, subject_a, subject_b
limit 20

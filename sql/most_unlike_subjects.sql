-- Which two subjects are most unlike in what they value?
with pairs as (
    select
        a.subject_id as subject_a, b.subject_id as subject_b, count(*) as shared_values,
        sqrt(avg(power(a.score - b.score, 2))) as distance
    from marts.subject_values as a
    inner join marts.subject_values as b on a."value" = b."value" and a.subject_id < b.subject_id
    where a.score is not null and b.score is not null
    group by all
)

select subject_a, subject_b, round(distance, 3) as distance, shared_values
from pairs
-- over fewer, two that are alike can come out far apart by chance
where shared_values >= 5
order by pairs.distance desc, subject_a, subject_b
limit 20

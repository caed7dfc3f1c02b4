-- Which two LLMs are most unlike in what they value?
-- Distance: root mean square difference over the values that both have a score on.
with pairs as (
    select
        llm_a, llm_b, count(*) as shared_values, sqrt(avg(power(difference, 2))) as distance
    from marts.llm_pairs
    group by all
)

select llm_a, llm_b, round(distance, 3) as distance, shared_values
from pairs
-- over fewer, two that are alike can come out far apart by chance
where shared_values >= 5
order by pairs.distance desc, llm_a, llm_b
limit 20

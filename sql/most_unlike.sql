-- Which two LLMs are most unlike in what they value?
-- Distance: root mean square difference over the values that both have a score on.
with pairs as (
    select
        a.llm as llm_a, b.llm as llm_b, count(*) as shared_values,
        sqrt(avg(power(a.score - b.score, 2))) as distance
    from llm_values as a
    inner join llm_values as b on a."value" = b."value" and a.llm < b.llm
    where a.score is not null and b.score is not null
    group by all
)

select llm_a, llm_b, round(distance, 3) as distance, shared_values
from pairs
where shared_values >= 5
order by pairs.distance desc, llm_a, llm_b
limit 20

-- Which single values go with a criterion? Spearman's r over LLMs, value by value.
-- Variable: criterion (all of them where not set). Thirty LLMs and forty values: a few r of .4 come
-- by chance; `safety_replication` says whether the same values come in another table.
with paired as (
    select c.criterion, v."value", v.llm, v.score, c.score as criterion_score
    from marts.llm_values as v
    inner join analysis.criterion_scores as c on v.llm = c.llm
    where v.score is not null
),

ranked as (
    select
        criterion, "value",
        rank() over (partition by criterion, "value" order by score)
        + (count(*) over (partition by criterion, "value", score) - 1) / 2 as by_value,
        rank() over (partition by criterion, "value" order by criterion_score)
        + (count(*) over (partition by criterion, "value", criterion_score) - 1) / 2 as by_criterion
    from paired
)

select criterion, "value", count(*) as llms, round(corr(by_value, by_criterion), 3) as r
from ranked
where criterion = coalesce(getvariable('criterion'), criterion)
group by criterion, "value"
having count(*) >= 5
order by criterion, abs(r) desc nulls last

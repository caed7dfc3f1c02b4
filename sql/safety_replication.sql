-- Are the same values predictive in two criteria? Over values: the correlation of each value's r with
-- one criterion and its r with the other, and how often the signs agree.
-- `apart`: the first criterion's LLMs without those of the second, so that no LLM is on both sides.
with named as (
    select criterion, llm, avg(score) as score
    from analysis.criterion_scores
    where llm is not null
    group by criterion, llm
),

pairs as (
    select distinct a.criterion as first, b.criterion as second, s.apart
    from named as a
    inner join named as b on a.criterion <> b.criterion
    cross join (values (false), (true)) as s (apart)
    where s.apart or a.criterion < b.criterion
),

sides as (
    select p.first, p.second, p.apart, 1 as side, n.llm, n.score
    from pairs as p
    inner join named as n on p.first = n.criterion
    where not p.apart or n.llm not in (select o.llm from named as o where o.criterion = p.second)
    union all
    select p.first, p.second, p.apart, 2 as side, n.llm, n.score
    from pairs as p
    inner join named as n on p.second = n.criterion
),

paired as (
    select s.*, v."value", v.score as value_score
    from sides as s
    inner join marts.llm_values as v on s.llm = v.llm
    where v.score is not null
),

ranked as (
    select
        first, second, apart, side, llm, "value",
        rank() over (partition by first, second, apart, side, "value" order by value_score)
        + (
            count(*) over (partition by first, second, apart, side, "value", value_score) - 1
        ) / 2 as by_value,
        rank() over (partition by first, second, apart, side, "value" order by score)
        + (
            count(*) over (partition by first, second, apart, side, "value", score) - 1
        ) / 2 as by_criterion
    from paired
),

related as (
    select first, second, apart, side, "value", count(*) as llms, corr(by_value, by_criterion) as r
    from ranked
    group by first, second, apart, side, "value"
    having count(*) >= 5
)

select
    a.first, a.second, a.apart, max(a.llms) as llms_first, max(b.llms) as llms_second,
    count(*) as n_values, round(corr(a.r, b.r), 3) as r_of_values,
    round(avg((sign(a.r) = sign(b.r))::int), 3) as same_sign
from related as a
inner join related as b
    on a.first = b.first and a.second = b.second and a.apart = b.apart and a."value" = b."value"
where a.side = 1 and b.side = 2 and isfinite(a.r) and isfinite(b.r)
group by a.first, a.second, a.apart
order by a.first, a.second, a.apart

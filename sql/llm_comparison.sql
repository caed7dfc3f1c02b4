-- What do two LLMs value differently?
-- Variables: a, b (the two most unlike on one value where not set).
with first_pair as (
    select llm_a, llm_b from marts.llm_pairs order by abs(difference) desc, llm_a, llm_b limit 1
),

chosen as (
    select
        coalesce(getvariable('a'), llm_a) as one, coalesce(getvariable('b'), llm_b) as other
    from first_pair
)

select
    c.one, c.other, p."value",
    round(if(p.llm_a = c.one, p.score_a, p.score_b), 3) as score_one,
    round(if(p.llm_a = c.one, p.score_b, p.score_a), 3) as score_other,
    round(if(p.llm_a = c.one, p.difference, -p.difference), 3) as difference,
    if(p.llm_a = c.one, p.n_a, p.n_b) as perceptions_one,
    if(p.llm_a = c.one, p.n_b, p.n_a) as perceptions_other, p.n_questions as questions, p.few
from marts.llm_pairs as p
inner join chosen as c
    on least(c.one, c.other) = p.llm_a and greatest(c.one, c.other) = p.llm_b
order by abs(p.difference) desc, p."value"

-- How alike are an LLM's values in two disjoint sets of prompts (appendix B.3, Table 11)?
-- r_others is its likeness to other LLMs: what is above it is its own. Variable: level (values,
-- factors; both where not set).
select
    "level", set_a, set_b, count(*) as llms, round(avg(r), 3) as mean_r,
    round(avg(r_others), 3) as mean_r_others, round(avg(r_centred), 3) as mean_r_centred,
    round(avg(ceiling), 3) as mean_ceiling, round(avg(ceiling_centred), 3) as mean_ceiling_centred,
    round(avg(n_perceptions)) as perceptions
from analysis.consistency
where "level" = coalesce(getvariable('level'), "level")
group by "level", set_a, set_b
order by "level" desc, mean_r desc

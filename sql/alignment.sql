-- What did alignment change on held-out prompts, by value system and measure, beside the paper's Table 4?
-- The paper's numbers come from other judges, another LLM and other prompts: only their order compares.
select
    r.system, r.measure, round(r.before, 3) as before, round(r.after, 3) as after,
    round(r.change, 3) as change, round(r.low, 3) as low, round(r.high, 3) as high, r.p,
    r.n_prompts, r.n_seeds,
    case
        when r.measure like 'harmlessness%' then t.harmlessness
        when r.measure like 'helpfulness%' then t.helpfulness
    end as paper
from analysis.alignment_results as r
left join paper.alignment as t
    on t.value_system = case r.system when 'published' then 'GPLA' when 'Schwartz-10' then 'Schwartz' end
order by r.system, r.measure

-- Which factors speak for a safer LLM, and the paper's parameters (Table 13) of factors of that name?
-- Variables: criterion, features (all where not set).
select
    p.criterion, p.features, p.factor, n.name, round(p.weight, 3) as weight,
    round(p.low, 3) as low, round(p.high, 3) as high, p.low > 0 or p.high < 0 as clear,
    m.paper_factor, t.parameter as paper
from analysis.probe_parameters as p
left join analysis.factor_names as n on p.features = 'ours' and p.factor = n.factor and n.chosen
left join analysis.paper_congruence as m on p.features = 'ours' and p.factor = m.factor
left join paper.safety_parameters as t
    on t."value" = coalesce(m.paper_factor, p.factor) and p.criterion like 'SALAD%'
where p.criterion = coalesce(getvariable('criterion'), p.criterion)
    and p.features = coalesce(getvariable('features'), p.features)
order by p.criterion, p.features, abs(p.weight) desc

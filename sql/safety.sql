-- How well do value systems and baselines tell which of two LLMs is safer, beside the paper's Table 3?
-- Variable: criterion (all of them where not set). Only where criterion and LLMs are the paper's
-- would the numbers be comparable.
select
    a.criterion, c.kind, a.features, a.role, a.design, a.n_llms, a.n_pairs, a.n_features,
    round(a.accuracy, 3) as accuracy, round(a.sd, 3) as sd,
    round(a.low, 3) as low, round(a.high, 3) as high, a.p_permuted,
    t.accuracy_percent / 100 as paper, t.sd_percent / 100 as paper_sd
from analysis.probe_accuracies as a
inner join analysis.criteria as c on a.criterion = c.criterion
left join paper.safety_prediction as t
    on c.kind = 'safety' and t.value_system = case
        when a.features = 'ours' then 'GPLA'
        when a.features like 'Schwartz-4%' then 'Schwartz (high level)'
        when a.features like 'Schwartz-10%' then 'Schwartz (low level)'
    end
where a.criterion = coalesce(getvariable('criterion'), a.criterion)
order by a.criterion, a.role desc, a.accuracy desc

-- How well do value systems and baselines tell which of two LLMs is safer, beside the paper's Table 3?
-- Variable: criterion (all of them where not set). Only where criterion and LLMs are the paper's
-- would the numbers be comparable. Beside controls (and with families left out) a row is on the LLMs
-- that have them: `gain` is what the features add to the controls alone.
select
    a.criterion, c.kind, a.features, a.controls, a.design, a.role, a.n_llms, a.n_pairs,
    a.n_features, round(a.accuracy, 3) as accuracy, round(a.sd, 3) as sd,
    round(a.low, 3) as low, round(a.high, 3) as high, a.p_permuted, round(a.gain, 3) as gain,
    t.accuracy_percent / 100 as paper, t.sd_percent / 100 as paper_sd
from analysis.probe_accuracies as a
inner join analysis.criteria as c on a.criterion = c.criterion
left join paper.safety_prediction as t
    on c.kind = 'safety' and a.controls = '' and a.design <> 'leave families out'
    and t.value_system = case
        when a.features = 'ours' then 'GPLA'
        when a.features like 'Schwartz-4%' then 'Schwartz (high level)'
        when a.features like 'Schwartz-10%' then 'Schwartz (low level)'
    end
where a.criterion = coalesce(getvariable('criterion'), a.criterion)
order by
    a.criterion, a.controls, a.design = 'leave families out', a.role desc, a.accuracy desc

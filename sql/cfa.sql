-- How well does each value system fit? Means over splits, their spread, beside the paper's Table 2.
-- Variable: comparison (fair or paper; both where not set). Compare `standard` numbers.
select
    i.comparison, i.system, i.structure, d."set", d."index", count(*) as splits,
    round(avg(i.number), 3) as mean, round(stddev_samp(i.number), 3) as sd,
    case d."index"
        when 'cfi' then any_value(t.cfi) when 'gfi' then any_value(t.gfi)
        when 'rmsea' then any_value(t.rmsea) when 'aic' then any_value(t.aic)
        when 'bic' then any_value(t.bic)
    end as paper
from analysis.cfa_indices as i
inner join analysis.fit_definitions as d on i.definition = d.definition
left join paper.cfa_fit as t
    on d."set" = 'paper' and i.structure = 'correlated' and i.comparison = 'paper'
    and t.value_system = case i.system
        when 'ours' then 'GPLA'
        when 'Schwartz-4' then 'Schwartz (high level)'
        else 'Schwartz (low level)'
    end
where i.comparison = coalesce(getvariable('comparison'), i.comparison)
group by i.comparison, i.system, i.structure, d."set", d."index"
order by i.comparison, d."set" desc, d."index", mean

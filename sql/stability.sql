-- How firm is each factor when LLMs, or subjects, are resampled?
select
    s.resampled, s.factor, n.name, s.n_values, round(s.congruence, 3) as congruence,
    round(s.congruence_low, 3) as congruence_low, round(s.alpha_low, 3) as alpha_low,
    round(s.alpha_high, 3) as alpha_high,
    case when s.congruence_low >= 0.95 then 'equal' when s.congruence_low >= 0.85 then 'fair'
        else 'unstable' end as verdict
from analysis.stability_factors as s
left join analysis.factor_names as n on s.factor = n.factor and n.chosen
order by s.resampled, len(s.factor), s.factor

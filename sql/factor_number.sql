-- How many factors? What each rule recommends, how often over resampled LLMs, and what was kept.
select
    r.rule, r.n_factors as recommended, r.basis, r.is_rule, r.retained,
    string_agg(
        s.n_factors || ': ' || round(100 * s.share)::integer || '%', ', ' order by s.share desc
    ) as over_resampled_llms
from analysis.factor_retention as r
left join analysis.stability_retention as s
    on r.rule = s.rule and s.resampled = 'llm' and s.share >= 0.05
group by all
order by r.is_rule desc, r.rule

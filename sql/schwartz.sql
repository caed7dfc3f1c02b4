-- How do the factors correlate with Schwartz's values, and the paper's factors that they match?
-- Variables: reading (direct or mapped), level (lower or higher); direct and lower where not set.
select
    s.factor, n.name, s.schwartz, round(s.r, 3) as r, s.n, round(s.ci_low, 3) as ci_low,
    round(s.ci_high, 3) as ci_high, round(s.p_adjusted, 4) as p_adjusted, s.paper_factor, s.paper_r
from analysis.schwartz_relations as s
left join analysis.factor_names as n on s.factor = n.factor and n.chosen
where s.reading = coalesce(getvariable('reading'), 'direct')
    and s."level" = coalesce(getvariable('level'), 'lower')
order by len(s.factor), s.factor, abs(s.r) desc

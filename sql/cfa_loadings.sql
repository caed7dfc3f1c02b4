-- Which values load on which factor in the confirmed systems, with standard errors?
-- Variable: system (all where not set). Ours is built on a half: its factors are that half's own.
select
    system, factor, "value", round(standardised, 3) as standardised,
    round(estimate, 3) as estimate, round(se, 3) as se, p
from analysis.cfa_loadings
where system = coalesce(getvariable('system'), system)
order by system, len(factor), factor, standardised desc

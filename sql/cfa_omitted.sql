-- Which paths that a system leaves out would improve its fit most (modification indices)?
-- Variable: system (all where not set).
select
    system, kind, "value", other, round(modification_index, 1) as modification_index,
    round(expected_change, 3) as expected_change
from analysis.cfa_paths
where system = coalesce(getvariable('system'), system)
order by system, modification_index desc

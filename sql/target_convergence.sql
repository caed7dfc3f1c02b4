-- How does each target move as pairs come in, and how wide is its interval?
-- Variable: system (all where not set).
select
    system, dimension, seen, pairs, round(target, 3) as target,
    round(low, 3) as low, round(high, 3) as high, round(same_sign, 2) as same_sign, flat
from analysis.target_convergence
where system = coalesce(getvariable('system'), system)
order by system, dimension, seen

-- Which target do people's preferences point to on each dimension, beside the paper's Tables 8 and 9?
-- Signs are compared as the paper prints targets, to one decimal. Variable: system (all where not set).
select
    t.system, t.dimension, t.reading, round(t.target, 3) as target,
    round(t.low, 3) as low, round(t.high, 3) as high, round(t.same_sign, 2) as same_sign,
    p.distilled_target as paper, p.original_target as paper_original,
    sign(round(t.target, 1)) = sign(p.distilled_target) as sign_agrees,
    round(t.winning_mean - t.losing_mean, 3) as winners_higher_by,
    t.pairs, t.excluded, t.flat, t.stable, t.caution
from analysis.targets as t
left join (
    select 'Schwartz-10' as system, "value", distilled_target, original_target from paper.schwartz_targets
    union all
    select 'published' as system, "value", distilled_target, null as original_target
    from paper.targets
) as p on t.system = p.system and t.dimension = p."value"
where t.system = coalesce(getvariable('system'), t.system)
order by t.system, t.pairs desc, t.dimension

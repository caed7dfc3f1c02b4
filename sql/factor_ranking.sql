-- Which subjects score highest on a factor?
-- Variable: factor (all factors where it is not set; the first ten subjects of each).
select
    f.factor, n.name, f.subject_id, round(f.score, 3) as score,
    rank() over (partition by f.factor order by f.score desc) as place
from analysis.factor_scores as f
left join analysis.factor_names as n on f.factor = n.factor and n.chosen
where f.score is not null and f.factor = coalesce(getvariable('factor'), f.factor)
qualify row_number() over (partition by f.factor order by f.score desc, f.subject_id) <= 10
order by f.factor, place, f.subject_id

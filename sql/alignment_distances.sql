-- On which dimensions did responses come nearer to the target? Mean over seeds of the last ten updates' mean.
-- Variable: system (all where not set).
with smooth as (
    select
        a.system, d.dimension, d.update,
        avg(d.distance) over (
            partition by d.run_id, d.dimension order by d.update rows 9 preceding
        ) as distance
    from analysis.alignment_distances as d
    inner join analysis.alignment_runs as a using (run_id)
    where a.system = coalesce(getvariable('system'), a.system)
)

select
    system, dimension, update, round(avg(distance), 4) as distance, count(*) as seeds
from smooth
group by system, dimension, update
order by system, dimension, update

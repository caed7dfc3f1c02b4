-- What made the rows: code version, inferences and time of every asset?
select
    asset, count(*) as partitions, sum(row_count)::bigint as "rows",
    sum(inferences)::bigint as inferences,
    round(sum(seconds), 1) as seconds, max(finished_at) as finished_at,
    string_agg(distinct code_version, ', ') as code_versions
from internal.runs
group by asset
order by min(finished_at)

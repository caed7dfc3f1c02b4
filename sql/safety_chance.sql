-- How often does chance predict a criterion as well as a value system does?
-- Draw -1 is what was observed, over the same splits as each draw of chance.
with observed as (
    select criterion, features, "null", accuracy from analysis.probe_nulls where draw = -1
)

select
    n.criterion, n.features, n."null", count(*) as draws, round(any_value(o.accuracy), 3) as own,
    round(avg(n.accuracy), 3) as mean, round(quantile_cont(n.accuracy, 0.95), 3) as upper_95,
    round(avg((n.accuracy >= o.accuracy - 1e-12)::int), 3) as share_as_good
from analysis.probe_nulls as n
inner join observed as o
    on n.criterion = o.criterion and n.features = o.features and n."null" = o."null"
where n.draw >= 0
group by n.criterion, n.features, n."null"
order by n.criterion, n."null", n.features

-- Which value systems were found so far, and how alike is the newest to each of them?
with newest as (
    select system_id from analysis.value_systems order by last_made_at desc limit 1
)

select
    v.system_id, v.made_at, v.n_llms, v.n_subjects, v.n_values, v.n_factors,
    v.system_id = newest.system_id as is_current, round(min(c.congruence), 3) as smallest_congruence,
    round(avg(c.congruence), 3) as mean_congruence
from analysis.value_systems as v
cross join newest
left join analysis.system_congruence as c on c.system_id = newest.system_id and c.other_id = v.system_id
group by all
order by v.made_at desc

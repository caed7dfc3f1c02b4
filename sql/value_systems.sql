-- Which value systems were found so far, and how alike is the newest to each of them?
with newest as (
    select system from value_systems order by last_made_at desc limit 1
)

select
    v.system, v.made_at, v.n_llms, v.n_subjects, v.n_values, v.n_factors,
    v.system = newest.system as is_current, round(min(c.congruence), 3) as smallest_congruence,
    round(avg(c.congruence), 3) as mean_congruence
from value_systems as v
cross join newest
left join system_congruence as c on c.system = newest.system and c.other = v.system
group by all
order by v.made_at desc

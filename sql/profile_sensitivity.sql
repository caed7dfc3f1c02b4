-- Which values are most stable over profiles, and which depend on the profile?
-- Null where LLMs have one profile each: nothing can be said then.
select *
from marts.value_stability
order by variance_within_llms nulls last, "value"

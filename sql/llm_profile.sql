-- What does an LLM value, and where does it differ from the others?
-- Variable: llm (the first one by name where it is not set).
select
    llm, "value", round(score, 3) as score, round(salience, 3) as how_much,
    round(direction, 3) as which_way, n as perceptions,
    round(mean_of_others, 3) as mean_of_others, round(difference, 3) as difference,
    place, n_llms
from marts.llm_profiles
where llm = coalesce(getvariable('llm'), (select min(llm) from marts.llm_profiles))
order by abs(difference) desc nulls last, "value"

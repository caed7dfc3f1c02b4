-- What does an LLM value, and where does it differ from the others?
-- Variable: llm (the first one by name where it is not set).
select
    llm, "value", round(difference, 3) as difference, round(difference_low, 3) as difference_low,
    round(difference_high, 3) as difference_high, round(score, 3) as score, round(low, 3) as low,
    round(high, 3) as high, round("share", 3) as how_often, round(direction, 3) as which_way,
    n_relevant || '/' || n as sentences, n_questions as questions, few, place, n_llms
from marts.llm_profiles
where llm = coalesce(getvariable('llm'), (select min(llm) from marts.llm_profiles))
order by llm_profiles.difference desc nulls last, llm_profiles.score desc, "value"

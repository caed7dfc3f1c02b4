-- What do subjects say about a value? Its perceptions with the strongest scores on both sides.
-- Variable: value (the lexicon's first where it is not set).
select "value", llm, profile, perception, words_in_answer, round(score, 3) as score
from marts.measured_sentences
where "value" = coalesce(getvariable('value'), (select arg_min("value", rank) from marts.lexicon))
    and score is not null
order by abs(score) desc, perception_id
limit 40

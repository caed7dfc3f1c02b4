-- What do subjects say about a value? Its perceptions with the strongest scores on both sides.
-- Variable: value (the lexicon's first where it is not set).
select m."value", m.subject, p.content as perception, round(m.score, 3) as score
from measurements as m
inner join perceptions as p using (perception)
where m."value" = coalesce(getvariable('value'), (select arg_min("value", rank) from lexicon))
    and m.score is not null
order by abs(m.score) desc, p.perception
limit 40

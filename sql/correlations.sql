-- Which values go together over subjects? Every r with the number of complete pairs.
select value_a, value_b, round(r, 3) as r, n
from marts.value_correlations
where r is not null
order by abs(value_correlations.r) desc, value_a, value_b
limit 50

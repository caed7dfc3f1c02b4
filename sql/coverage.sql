-- How well is each value covered? Subjects with a score, and measurements.
select *
from marts.value_coverage
order by share, "value"

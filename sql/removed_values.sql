-- Which values did the factor analysis remove, in which round and by which rule?
select round, "value", reason, loading, gap
from value_removals
order by round, "value"

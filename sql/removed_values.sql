-- Which values did the factor analysis remove, in which round and by which rule?
select round, "value", reason, loading, gap, alpha, alpha_without
from analysis.value_removals
order by round, "value"

-- Which criteria are predicted, of how many LLMs, and what limits that?
select criterion, kind, unit, n_names, n_llms, caution, source
from analysis.criteria
order by kind desc, criterion

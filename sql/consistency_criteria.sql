-- Do LLMs whose values are consistent score higher on a criterion, in the paper's Table 11 and here?
select
    basis, criterion, round(r, 3) as r, round(low, 3) as low, round(high, 3) as high, n as llms
from analysis.consistency_criteria
order by basis like 'the paper%' desc, basis, criterion

-- Would subjects come out the same again? Variance between subjects, questions and samples.
select *
from analysis.generalizability
order by lexicon, coefficient desc nulls last, "value"

-- How well do relations between Schwartz's ten values agree with his circle (appendix C.2)?
select reading, statistic, round(number, 3) as number, round(p, 4) as p, n_pairs
from analysis.circumplex_fit
order by statistic, reading

-- What are the factors? Their values, reliability, and whether they may be interpreted.
select
    factor, name, n_values, round(alpha, 3) as alpha, round(ci_low, 3) as ci_low,
    round(ci_high, 3) as ci_high, round(omega, 3) as omega, interpretable,
    loadings as "values", caution
from marts.factors
order by factor

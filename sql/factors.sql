-- What are the factors? Their values, alpha, and whether they may be interpreted.
select
    r.factor, r.n_values, round(r.alpha, 3) as alpha, round(r.ci_low, 3) as ci_low,
    round(r.ci_high, 3) as ci_high, r.interpretable,
    string_agg(
        l."value" || ' ' || printf('%.2f', l.loading), ', ' order by abs(l.loading) desc
    ) as "values",
    r.caution
from reliabilities as r
left join loadings as l on r.factor = l.factor and l.is_primary and l.kept
group by all
order by r.factor

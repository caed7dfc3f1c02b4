-- What are the factors? Their values, reliability, and whether they may be interpreted.
select
    r.factor, n.name, r.n_values, round(r.alpha, 3) as alpha, round(r.ci_low, 3) as ci_low,
    round(r.ci_high, 3) as ci_high, round(r.omega, 3) as omega, r.interpretable,
    string_agg(
        l."value" || ' ' || printf('%.2f', l.loading), ', ' order by abs(l.loading) desc
    ) as "values",
    r.caution
from reliabilities as r
left join loadings as l on r.factor = l.factor and l.is_primary and l.kept
left join factor_names as n on r.factor = n.factor and n.chosen
group by all
order by r.factor

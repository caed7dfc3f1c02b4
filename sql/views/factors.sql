-- One row per factor of the value system: its name, its values and how far it can be trusted.
-- factor: The factor.
-- name: Its name; null where it was given none.
-- leading_values: Its leading values.
-- n_values: Its values.
-- alpha: Cronbach's alpha of its values.
-- ci_low: Lower end of alpha's 95% interval.
-- ci_high: Upper end of it.
-- omega: McDonald's omega.
-- interpretable: Whether sample and reliability allow an interpretation.
-- values: Its values, the highest loading first.
-- loadings: The same values with their loadings.
-- caution: Why it may not be interpreted, or what limits it.
select
    r.factor, n.name, r.name as leading_values, r.n_values, r.alpha, r.ci_low, r.ci_high, r.omega,
    r.interpretable,
    string_agg(l."value", ', ' order by abs(l.loading) desc, l."value") as "values",
    string_agg(
        l."value" || ' ' || printf('%.2f', l.loading), ', ' order by abs(l.loading) desc, l."value"
    ) as loadings,
    r.caution
from analysis.reliabilities as r
left join analysis.loadings as l on r.factor = l.factor and l.is_primary and l.kept
left join analysis.factor_names as n on r.factor = n.factor and n.chosen
group by all

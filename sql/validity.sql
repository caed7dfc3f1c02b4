-- How far can the measurements be trusted, by rule: known groups, and reliability across LLMs?
-- Variables: check (steering, reliability, reliability less style), rule, data (a list of values);
-- all where not set.
select
    "check", data, agent, "rule", measure, round(number, 3) as number, round(low, 3) as low,
    round(high, 3) as high, n, known
from analysis.validity
where "check" = coalesce(getvariable('check'), "check")
    and "rule" = coalesce(getvariable('rule'), "rule")
    and data = coalesce(getvariable('data'), data)
order by data, "check" != 'steering', "check", measure like '% under %', measure, "rule"

-- How well does M_E agree with ValueBench's ratings of the same answers, on values it had not seen?
-- Variable: level (all summaries where not set; 'value: r over LLMs' for each value).
select
    evaluator, reading, "level", "value", round(r, 3) as r, round(low, 3) as low,
    round(high, 3) as high, n, round(coverage, 3) as coverage
from analysis.external_validity
where "level" = getvariable('level') or (getvariable('level') is null and "value" = '')
order by "level", r desc

"""What is read of a study's published file as its results.

Each query gives rows name, what, number, low, high, n. `low` and `high` are a 95% interval, or null
where none is known; of the confirmatory analysis they are the middle 95% of its splits.
"""

from __future__ import annotations

SIZE = """
select 'size.' || name as name, what, number, null as low, null as high, null as n
from (values
    ('llms', 'LLMs', (select count(*) from evidence.llms)),
    ('subjects', 'subjects (an LLM under a profile)', (select count(*) from evidence.subjects)),
    ('questions', 'questions', (select count(*) from evidence.questions)),
    ('responses', 'responses', (select count(*) from evidence.responses)),
    ('perceptions', 'perceptions in responses',
        (select count(*) from evidence.perceptions where origin = 'subjects')),
    ('lexicon', 'values in the lexicon', (select count(*) from marts.lexicon)),
    ('values', 'values measured',
        (select count(distinct "value") from marts.subject_values where score is not null)),
    ('measurements', 'measurements of responses',
        (select count(*) from evidence.measurements
         where origin = 'subjects' and lexicon = 'lexicon')),
    ('sentences', 'relevant sentences a subject and value, median',
        (select median(n_relevant) from marts.subject_values))
) as counted (name, what, number)
"""
DIFFERENCES = """
select 'differences.clear' as name,
    'LLM x value with a difference from the other LLMs whose interval leaves out 0 (share)' as what,
    avg((difference_low > 0 or difference_high < 0)::int) as number, null as low, null as high,
    count(*) as n
from marts.llm_values where difference_low is not null
"""
MATRIX = """
select 'matrix.' || name as name, what, number, null as low, null as high, n_subjects as n
from (
    unpivot (
        select n_subjects, kmo::double as kmo, ratio::double as ratio,
            missing_share::double as missing
        from analysis.suitability where matrix = 'subject_values'
    ) on kmo, ratio, missing into name name value number
)
inner join (values
    ('kmo', 'KMO'), ('ratio', 'subjects a value'), ('missing', 'share of cells missing')
) as said (name, what) using (name)
"""
FACTORS = """
select 'factors.' || f.factor || '.alpha' as name,
    f.factor || ' ' || coalesce(f.name, f.leading_values) || ' (' || f.n_values || ' values: '
        || f."values" || '): alpha' || case when f.interpretable then '' else
        ', not interpretable' end as what,
    f.alpha as number, f.ci_low as low, f.ci_high as high,
    (select count(*) from evidence.subjects) as n
from marts.factors as f order by len(f.factor), f.factor
"""
FIRM = """
select 'factors.' || factor || '.congruence.' || resampled as name,
    factor || ': congruence over resampled ' || resampled || 's' as what,
    congruence as number, congruence_low as low, congruence_high as high, resamples as n
from analysis.stability_factors order by resampled, len(factor), factor
"""
NUMBER = """
select 'retained.' || "rule" as name, "rule" || case when is_rule then ' (the study''s)' else '' end
    as what, n_factors as number, null as low, null as high, null as n
from analysis.factor_retention order by is_rule desc, "rule"
"""
VALIDITY = """
select "check" || '.' || "rule" || '.' || data || '.' || measure as name,
    "check" || ', ' || coalesce('rule ' || nullif("rule", ''), 'a classifier of the texts') || ', '
        || data || ': ' || measure || coalesce(' (' || known || ')', '') as what,
    number, low, high, n
from analysis.validity
where "check" in ('steering', 'reliability', 'reliability less style')
    and data in ('lexicon', 'Schwartz-10')
    and (
        measure in ('share of pairs', 'rank of the own profile')
        or measure like 'r between halves%'
        or measure like 'questions for %'
    )
order by "check" <> 'steering', "check", data, measure, "rule"
"""
CONFIRMED = """
select 'cfa.' || i.comparison || '.' || i.system || '.' || i.structure || '.' || d."index" as name,
    i.comparison || ', ' || i.system || ', ' || i.structure || ': ' || upper(d."index") as what,
    avg(i.number) as number, quantile_cont(i.number, 0.025) as low,
    quantile_cont(i.number, 0.975) as high, count(i.number) as n
from analysis.cfa_indices as i
inner join analysis.fit_definitions as d using (definition)
where d."set" = 'standard' and d."index" in ('cfi', 'rmsea', 'srmr')
group by all order by i.comparison, d."index", number
"""
RANDOM = """
select 'cfa.fair.random.cfi' as name, 'fair, random groupings of the same values: CFI' as what,
    avg(cfi) as number, quantile_cont(cfi, 0.025) as low, quantile_cont(cfi, 0.975) as high,
    count(cfi) as n
from analysis.cfa_nulls
"""
SAFETY = """
select
    'safety.' || a.criterion || '.' || a.features || '.' || a.controls || '.' || a.design as name,
    a.criterion || ', ' || a.n_llms || ' LLMs, ' || a.features
        || case when a.controls = '' then '' else ' beside ' || a.controls end || ' (' || a.design
        || ')' || coalesce(', p = ' || round(a.p_permuted, 3), '') as what,
    a.accuracy as number, a.low, a.high, a.n_pairs as n
from analysis.probe_accuracies as a
order by a.criterion, a.controls, a.design, a.role desc, a.accuracy desc
"""
CONSISTENT = """
select 'consistency.' || "level" || '.' || measure as name,
    "level" || ': ' || what as what, avg(number) as number, null as low, null as high,
    count(distinct llm) as n
from (
    unpivot (select "level", llm, r, r_others, ceiling from analysis.consistency)
    on r, r_others, ceiling into name measure value number
)
inner join (values
    ('r', 'an LLM with itself on other prompts, mean r'),
    ('r_others', 'with other LLMs, mean r'), ('ceiling', 'what so few perceptions allow, mean r')
) as said (measure, what) using (measure)
group by "level", measure, what order by "level", measure
"""
COVERED = """
select 'coverage.' || lexicon as name, lexicon || ': values found a conversation, mean' as what,
    avg(n_values) as number, null as low, null as high, count(*) as n
from analysis.coverage where value_laden group by lexicon order by number desc
"""
TARGETS = """
select 'targets.' || system || '.' || dimension || '.' || reading as name,
    system || ', ' || dimension || ' (' || reading || ')'
        || case when stable then '' else ', not settled' end as what,
    target as number, low, high, pairs as n
from analysis.targets order by system, dimension, reading
"""
CHECKED = """
select 'target_checks.' || system || '.' || predictor as name,
    system || ', ' || predictor || ': share of held-out pairs right' as what,
    accuracy as number, low, high, n_pairs as n
from analysis.target_checks order by system, predictor
"""
STUDY_RESULTS = {
    "Size": SIZE,
    "Differences between LLMs": DIFFERENCES,
    "The matrix": MATRIX,
    "Factors": FACTORS,
    "Factors over other subjects": FIRM,
    "How many factors each rule retains": NUMBER,
    "Validity of scores": VALIDITY,
    "Value systems, confirmed": CONFIRMED,
    "Random groupings": RANDOM,
    "Safety, pairs of LLMs told apart (chance .5)": SAFETY,
    "Consistency": CONSISTENT,
    "Coverage of conversations": COVERED,
    "Targets of preferences": TARGETS,
    "Targets on preferences held out": CHECKED,
}
"""Sections of a study's page, in the order of the data."""

with subject_values as (
    select * from {{ ref('subject_values') }}
),

subjects as (
    select * from {{ ref('stg_subjects') }}
),

estimates as (
    select * from {{ ref('stg_value_estimates') }} where level = 'llm'
),

by_llm as (
    select
        subjects.llm, subject_values."value",
        avg(subject_values.salience order by subject_values.subject_id) as salience,
        avg(subject_values.direction order by subject_values.subject_id) as direction,
        avg(subject_values.score order by subject_values.subject_id) as score,
        count(subject_values.score) as n_subjects, sum(subject_values.n)::bigint as n,
        sum(subject_values.n_relevant)::bigint as n_relevant
    from subject_values
    inner join subjects on subject_values.subject_id = subjects.subject_id
    group by subjects.llm, subject_values."value"
),

final as (
    select
        by_llm.*, coalesce(n_questions, 0) as n_questions, se, low, high, shrunken,
        coalesce(few, true) as few, difference, difference_low, difference_high,
        "share", share_low, share_high, direction_low, direction_high
    from by_llm
    left join estimates on by_llm.llm = estimates.unit and by_llm."value" = estimates."value"
)

select * from final

with subject_values as (
    select * from {{ ref('subject_values') }}
),

subjects as (
    select count(*) as subjects from {{ ref('stg_subjects') }}
),

final as (
    select
        subject_values."value", count(subject_values.score) as subjects_with_score,
        count(subject_values.score) / any_value(subjects.subjects) as share,
        sum(subject_values.n)::bigint as measurements,
        sum(subject_values.n_relevant)::bigint as relevant
    from subject_values
    cross join subjects
    group by subject_values."value"
)

select * from final

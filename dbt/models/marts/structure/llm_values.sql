with subject_values as (
    select * from {{ ref('subject_values') }}
),

subjects as (
    select * from {{ ref('stg_subjects') }}
),

final as (
    select
        subjects.llm, subject_values."value",
        avg(subject_values.salience order by subject_values.subject_id) as salience,
        avg(subject_values.direction order by subject_values.subject_id) as direction,
        avg(subject_values.score order by subject_values.subject_id) as score,
        count(subject_values.score) as n_subjects, sum(subject_values.n)::bigint as n
    from subject_values
    inner join subjects on subject_values.subject_id = subjects.subject_id
    group by subjects.llm, subject_values."value"
)

select * from final

with subject_values as (
    select * from {{ ref('subject_values') }} where score is not null
),

subjects as (
    select * from {{ ref('stg_subjects') }}
),

by_llm as (
    select
        subject_values."value", subjects.llm,
        avg(subject_values.score order by subject_values.subject_id) as mean_score,
        var_samp(subject_values.score order by subject_values.subject_id) as variance
    from subject_values
    inner join subjects on subject_values.subject_id = subjects.subject_id
    group by subject_values."value", subjects.llm
),

final as (
    select
        "value", count(*) as llms, avg(mean_score order by llm) as mean_score,
        var_samp(mean_score order by llm) as variance_between_llms,
        avg(variance order by llm) as variance_within_llms
    from by_llm
    group by "value"
)

select * from final

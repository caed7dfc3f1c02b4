with measurements as (
    select * from {{ ref('stg_measurements') }} where origin = 'subjects'
),

final as (
    -- pooled over all perceptions of all responses (open point 10); avg and count skip the null
    -- scores of perceptions that take no side; in one order, since a sum's last digits hang on it
    select
        subject_id, lexicon, "value", avg(score order by perception_id) as score,
        count(score) as n, count(*) as n_relevant
    from measurements
    group by subject_id, lexicon, "value"
)

select * from final

with list_values as (
    select * from {{ ref('int_subject_list_values') }}
),

estimates as (
    select * from {{ ref('stg_value_estimates') }} where level = 'subject'
),

final as (
    select
        list_values.subject_id, list_values."value", salience, direction, list_values.score, n,
        n_relevant, coalesce(n_questions, 0) as n_questions, se, low, high, shrunken,
        coalesce(few, true) as few, difference, difference_low, difference_high,
        "share", share_low, share_high, direction_low, direction_high
    from list_values
    left join estimates
        on list_values.subject_id = estimates.unit and list_values."value" = estimates."value"
    where lexicon = 'lexicon'
)

select * from final

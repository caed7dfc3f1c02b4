with source as (
    select * from {{ source('evidence', 'value_estimates') }}
),

final as (
    select
        level, unit, "value", score, n_questions, se, low, high, shrunken, few, difference, difference_low, difference_high,
        "share", share_low, share_high, direction_low, direction_high
    from source
)

select * from final

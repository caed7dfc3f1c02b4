with source as (
    select * from {{ source('evidence', 'measurements') }}
),

final as (
    select perception_id, lexicon, "value", origin, subject_id, score
    from source
)

select * from final

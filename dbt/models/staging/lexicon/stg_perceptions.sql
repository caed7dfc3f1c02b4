with source as (
    select * from {{ source('evidence', 'perceptions') }}
),

final as (
    select perception_id, origin, source
    from source
)

select * from final

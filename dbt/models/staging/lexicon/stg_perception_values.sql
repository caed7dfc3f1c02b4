with source as (
    select * from {{ source('evidence', 'perception_values') }}
),

final as (
    select perception_id, "value", source
    from source
)

select * from final

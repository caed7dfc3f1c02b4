with source as (
    select * from {{ source('evidence', 'texts') }}
),

final as (
    select text_id, source
    from source
)

select * from final

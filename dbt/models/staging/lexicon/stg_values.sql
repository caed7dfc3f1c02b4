with source as (
    select * from {{ source('evidence', 'values') }}
),

final as (
    select "value", definition
    from source
)

select * from final

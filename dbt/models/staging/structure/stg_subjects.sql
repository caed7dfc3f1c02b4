with source as (
    select * from {{ source('evidence', 'subjects') }}
),

final as (
    select subject_id, llm, profile
    from source
)

select * from final

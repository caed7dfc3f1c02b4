with source as (
    select * from {{ source('evidence', 'value_similarities') }}
),

final as (
    select value_a, value_b, rouge_f, rouge_precision, rouge_recall, cosine
    from source
)

select * from final

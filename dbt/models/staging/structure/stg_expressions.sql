with source as (
    select * from {{ source('evidence', 'expressions') }}
),

final as (
    select
        response_id, subject_id, question_id, lexicon, "value", n, weight_sum, logit_sum, relevant_n, sided_n,
        score_sum, top_n, top_weight, top_sum
    from source
)

select * from final

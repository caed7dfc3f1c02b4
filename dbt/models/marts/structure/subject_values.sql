with list_values as (
    select * from {{ ref('int_subject_list_values') }}
),

final as (
    select subject_id, "value", salience, direction, score, n, n_relevant
    from list_values
    where lexicon = 'lexicon'
)

select * from final

with list_values as (
    select * from {{ ref('int_subject_list_values') }}
),

final as (
    select subject_id, lexicon, "value", salience, direction, score, n, n_relevant
    from list_values
    where lexicon in ('Schwartz-10', 'Schwartz-4')
)

select * from final

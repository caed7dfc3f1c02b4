with ledger as (
    select * from {{ ref('lexicon_ledger') }}
),

vocabulary as (
    select * from {{ ref('stg_values') }}
),

final as (
    select
        ledger."value", ledger.frequency, row_number() over (order by ledger.rank) as rank,
        coalesce(vocabulary.definition, '') as definition
    from ledger
    left join vocabulary on ledger."value" = vocabulary."value"
    where ledger.kept
)

select * from final
order by rank

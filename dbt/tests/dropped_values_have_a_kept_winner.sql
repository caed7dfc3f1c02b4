-- A value goes only for a kept one before it, or because it is too rare; a kept one has no winner.
with ledger as (
    select * from {{ ref('lexicon_ledger') }}
),

final as (
    select dropped."value", dropped.kept, dropped.rule, dropped.winner
    from ledger as dropped
    left join ledger as winner on dropped.winner = winner."value"
    where case
        when dropped.kept then coalesce(dropped.winner, dropped.rule) is not null
        when dropped.rule = 'frequency' then dropped.winner is not null
        else not coalesce(winner.kept and winner.rank < dropped.rank, false)
    end
)

select * from final

{#- Greedy filtering in rounds: a value is decided once a more frequent value that it overlaps is
    kept (it goes), or all of those are decided (it stays). This gives what a walk from the most
    to the least frequent value gives, in as many rounds as the longest chain of overlaps. -#}
with recursive counted as (
    select "value", frequency, frequency >= {{ var('minimum_frequency') }} as frequent
    from {{ ref('value_frequencies') }}
    where not {{ var('values_are_given') }}

    union all

    -- a study's own list: each of its values is measured, however often texts name it
    select "value", 0::bigint as frequency, true as frequent
    from {{ ref('stg_values') }}
    where {{ var('values_are_given') }}
),

ranked as (
    select
        "value", frequency, row_number() over (order by frequency desc, "value") as rank, frequent
    from counted
),

overlapping as (
    select
        value_a, value_b,
        case
            when rouge_f >= {{ var('rouge_threshold') }} then 'rouge_f'
            when rouge_precision >= {{ var('rouge_threshold') }} then 'rouge_precision'
            when rouge_recall >= {{ var('rouge_threshold') }} then 'rouge_recall'
            when cosine >= {{ var('cosine_threshold') }} then 'cosine'
        end as rule,
        case rule
            when 'rouge_f' then rouge_f
            when 'rouge_precision' then rouge_precision
            when 'rouge_recall' then rouge_recall
            else cosine
        end as similarity
    from {{ ref('stg_value_similarities') }}
    where rule is not null
),

rivals as (
    -- for each value, the more frequent ones that it overlaps
    select lower_one."value", upper_one."value" as rival, upper_one.rank, o.rule, o.similarity
    from overlapping as o
    inner join ranked as one on o.value_a = one."value"
    inner join ranked as other on o.value_b = other."value"
    inner join ranked as lower_one on lower_one.rank = greatest(one.rank, other.rank)
    inner join ranked as upper_one on upper_one.rank = least(one.rank, other.rank)
    where lower_one.frequent and upper_one.frequent
),

decided("value", kept) using key ("value") as (
    select "value", true as kept
    from ranked
    where frequent and "value" not in (select "value" from rivals)

    union

    select rivals."value", not coalesce(bool_or(known.kept), false) as kept
    from rivals
    left join recurring.decided as known on rivals.rival = known."value"
    where rivals."value" not in (select "value" from recurring.decided)
    group by rivals."value"
    having coalesce(bool_or(known.kept), false) or count(*) = count(known.kept)
),

winners as (
    -- the first kept value by rank that a dropped one overlaps
    select
        rivals."value", arg_min(rivals.rival, rivals.rank) as winner,
        arg_min(rivals.rule, rivals.rank) as rule,
        arg_min(rivals.similarity, rivals.rank) as similarity
    from rivals
    inner join decided on rivals.rival = decided."value" and decided.kept
    group by rivals."value"
),

final as (
    select
        ranked."value", ranked.frequency, ranked.rank, coalesce(decided.kept, false) as kept,
        winners.winner,
        case when ranked.frequent then winners.rule else 'frequency' end as rule,
        winners.similarity
    from ranked
    left join decided on ranked."value" = decided."value"
    left join winners on ranked."value" = winners."value" and not decided.kept
)

select * from final
order by rank

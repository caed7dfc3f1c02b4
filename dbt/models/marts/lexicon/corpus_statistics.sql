with texts as (
    select source, count(*) as texts
    from {{ ref('stg_texts') }}
    group by source
),

perceptions as (
    select source, count(*) as perceptions
    from {{ ref('stg_perceptions') }}
    where origin = 'corpus'
    group by source
),

by_source as (
    select source, sum(frequency)::bigint as "values", count(*) as unique_values
    from {{ ref('value_frequencies_by_source') }}
    group by source
),

ledger as (
    select * from {{ ref('lexicon_ledger') }}
),

ours as (
    select
        1 as place, texts.source, texts.texts, coalesce(perceptions.perceptions, 0) as perceptions,
        coalesce(by_source."values", 0) as "values",
        coalesce(by_source.unique_values, 0) as unique_values
    from texts
    left join perceptions on texts.source = perceptions.source
    left join by_source on texts.source = by_source.source

    union all

    select
        2, 'Total', (select sum(texts) from texts),
        (select coalesce(sum(perceptions), 0) from perceptions),
        (select coalesce(sum(frequency), 0) from ledger), (select count(*) from ledger)

    union all

    select 3, 'After filtering', null, null, null, (select count(*) from ledger where kept)
),

final as (
    select
        ours.place, ours.source, ours.texts::bigint as texts,
        ours.perceptions::bigint as perceptions, ours."values"::bigint as "values",
        ours.unique_values,
        ours."values" / nullif(ours.perceptions, 0) as values_per_perception,
        paper.perceptions as paper_perceptions, paper."values" as paper_values,
        paper.unique_values as paper_unique_values,
        paper."values" / nullif(paper.perceptions, 0) as paper_values_per_perception
    from ours
    left join {{ ref('paper_corpus') }} as paper on lower(ours.source) = lower(paper.source)
)

select * from final
order by place, source

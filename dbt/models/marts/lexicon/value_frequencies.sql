with by_source as (
    select * from {{ ref('value_frequencies_by_source') }}
),

final as (
    -- a raw sum: sources of unequal size weigh as they are (open point 6)
    select "value", sum(frequency)::bigint as frequency, count(*) as sources
    from by_source
    group by "value"
)

select * from final

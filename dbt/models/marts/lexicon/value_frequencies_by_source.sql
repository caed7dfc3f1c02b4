with perception_values as (
    select * from {{ ref('stg_perception_values') }}
),

final as (
    select "value", source, count(*) as frequency
    from perception_values
    group by "value", source
)

select * from final

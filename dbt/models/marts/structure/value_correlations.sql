with scores as (
    select subject_id, "value", score
    from {{ ref('subject_values') }}
    where score is not null
),

pairs as (
    select
        a."value" as value_a, b."value" as value_b, count(*) as n,
        var_pop(a.score order by a.subject_id) as variance_a,
        var_pop(b.score order by a.subject_id) as variance_b,
        corr(a.score, b.score order by a.subject_id) as correlation
    from scores as a
    inner join scores as b on a.subject_id = b.subject_id and a."value" < b."value"
    group by a."value", b."value"
),

final as (
    -- of two subjects r is 1 or -1 whatever they say, and of a constant there is none
    select
        value_a, value_b,
        case
            when n >= 3 and variance_a > 1e-18 and variance_b > 1e-18
                then greatest(-1.0, least(1.0, correlation))
        end as r,
        n
    from pairs
)

select * from final

{#- Scores as whole numbers of 1e-12: their sums are exact, whatever the order of rows, where sums of
    floats need one (which takes ten times as long), and a constant has a variance of 0. r is right
    to about ten digits, so that digits beyond the twelfth are dropped. -#}
with codes as (
    select "value", row_number() over (order by "value") as code
    from (select distinct "value" from {{ ref('subject_values') }})
),

scores as (
    select
        dense_rank() over (order by subject_values.subject_id) as subject, codes.code,
        round(subject_values.score * 1e12)::bigint as score
    from {{ ref('subject_values') }} as subject_values
    inner join codes on subject_values."value" = codes."value"
    where subject_values.score is not null
),

sums as (
    select
        a.code as code_a, b.code as code_b, count(*)::hugeint as n, sum(a.score) as a, sum(b.score) as b,
        sum(a.score::hugeint * b.score) as ab,
        sum(a.score::hugeint * a.score) as aa,
        sum(b.score::hugeint * b.score) as bb
    from scores as a
    inner join scores as b on a.subject = b.subject and a.code < b.code
    group by a.code, b.code
),

pairs as (
    select
        code_a, code_b, n::bigint as n, (n * ab - a * b)::double as covariance,
        (n * aa - a * a)::double as variance_a, (n * bb - b * b)::double as variance_b
    from sums
),

final as (
    -- of two subjects r is 1 or -1 whatever they say, and of a constant there is none
    select
        one."value" as value_a, other."value" as value_b,
        case
            when n >= 3
                and least(variance_a, variance_b) / (n * n) > 1e-18 * 1e24
                then greatest(-1.0, least(1.0, round(covariance / sqrt(variance_a * variance_b), 12)))
        end as r,
        n
    from pairs
    inner join codes as one on pairs.code_a = one.code
    inner join codes as other on pairs.code_b = other.code
)

select * from final

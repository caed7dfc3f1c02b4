{% set rule = var('measurement_rule') %}
with sums as (
    select * from {{ ref('stg_expressions') }}
),

brought as (
    -- what a question brings of a value to whoever answers it, and what all questions bring
    select
        question_id, lexicon, "value", grouping(question_id) = 1 as of_all,
        avg(logit_sum / nullif(weight_sum, 0) order by response_id) as logits
    from sums
    group by grouping sets ((question_id, lexicon, "value"), (lexicon, "value"))
),

expressions as (
    select
        sums.* exclude (logit_sum),
        sums.logit_sum - sums.weight_sum * coalesce(own.logits - every.logits, 0) as logit_sum
    from sums
    left join brought as own
        on
            not own.of_all and sums.question_id = own.question_id
            and sums.lexicon = own.lexicon and sums."value" = own."value"
    left join brought as every
        on
            every.of_all
            and sums.lexicon = every.lexicon and sums."value" = every."value"
),

totals as (
    -- over all responses (open point 10); in one order, since a sum's last digits hang on it
    select
        subject_id, lexicon, "value",
        sum(weight_sum order by response_id) as perceptions,
        sum(weight_sum order by response_id) filter (where logit_sum is not null) as read_n,
        sum(logit_sum order by response_id) as logits,
        sum(relevant_n order by response_id) as relevant,
        sum(sided_n order by response_id) as sided,
        sum(score_sum order by response_id) as scores,
        sum(top_n order by response_id) as tops,
        sum(top_weight order by response_id) as top_weights,
        sum(top_sum order by response_id) as top_scores
    from expressions
    group by subject_id, lexicon, "value"
),

readings as (
    -- the rules are those of gpla_assets/evaluator/expression.py
    select
        *,
        {% if rule == 'salience' %} logits / nullif(read_n, 0)
        {% elif rule == 'top' %} tops / nullif(perceptions, 0)
        {% else %} relevant / nullif(perceptions, 0)
        {% endif %} as salience,
        {% if rule == 'top' %} top_scores / nullif(top_weights, 0)
        {% else %} scores / nullif(sided, 0)
        {% endif %} as direction
    from totals
),

final as (
    select
        subject_id, lexicon, "value", salience, direction,
        {% if rule == 'gpv' %} direction
        {% elif rule == 'net' %} scores / nullif(perceptions, 0)
        {% elif rule == 'top' %} top_scores / nullif(perceptions, 0)
        {% else %} salience
        {% endif %} as score,
        -- weighted counts as whole numbers: what counts a little is one more
        ceil(round(
            {% if rule == 'gpv' %} sided
            {% elif rule == 'salience' %} coalesce(read_n, 0)
            {% else %} perceptions
            {% endif %}, 6
        ))::bigint as n,
        ceil(round(relevant, 6))::bigint as n_relevant
    from readings
)

select * from final
where n_relevant > 0 or score is not null

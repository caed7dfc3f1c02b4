{% set rule = var('measurement_rule') %}
with sums as not materialized (
    select * from {{ ref('stg_expressions') }}
),

brought as (
    -- what a question brings of a value to whoever answers it
    select
        question_id, lexicon, "value",
        {{ whole_sum('logit_sum / nullif(weight_sum, 0)') }} as whole_logits,
        count(logit_sum / nullif(weight_sum, 0)) as responses
    from sums
    group by question_id, lexicon, "value"
),

centred as (
    -- less what all questions bring
    select
        question_id, lexicon, "value",
        {{ from_whole('whole_logits') }} / nullif(responses, 0)
        - {{ from_whole('sum(whole_logits) over of_value') }}
        / nullif(sum(responses) over of_value, 0) as logits
    from brought
    window of_value as (partition by lexicon, "value")
),

expressions as (
    select
        sums.* exclude (logit_sum),
        sums.logit_sum - sums.weight_sum * coalesce(centred.logits, 0) as logit_sum
    from sums
    left join centred
        on
            sums.question_id = centred.question_id
            and sums.lexicon = centred.lexicon and sums."value" = centred."value"
),

totals as (
    -- over all responses (open point 10)
    select
        subject_id, lexicon, "value",
        {{ exact_sum('weight_sum') }} as perceptions,
        {{ exact_sum('case when logit_sum is not null then weight_sum end') }} as read_n,
        {{ exact_sum('logit_sum') }} as logits,
        {{ exact_sum('relevant_n') }} as relevant,
        {{ exact_sum('sided_n') }} as sided,
        {{ exact_sum('score_sum') }} as scores,
        {{ exact_sum('top_n') }} as tops,
        {{ exact_sum('top_weight') }} as top_weights,
        {{ exact_sum('top_sum') }} as top_scores
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

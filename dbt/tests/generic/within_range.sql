{# Every number of the column lies between the bounds that are given; nulls pass, NaN does not. #}
{% test within_range(model, column_name, minimum=none, maximum=none) %}
select {{ column_name }}
from {{ model }}
where isnan({{ column_name }}::double)
{%- if minimum is not none %}
    or {{ column_name }} < {{ minimum }} - 1e-9
{%- endif %}
{%- if maximum is not none %}
    or {{ column_name }} > {{ maximum }} + 1e-9
{%- endif %}
{% endtest %}

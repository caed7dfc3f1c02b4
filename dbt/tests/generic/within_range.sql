{# Every number of the column lies between minimum and maximum; nulls pass. #}
{% test within_range(model, column_name, minimum, maximum) %}
select {{ column_name }}
from {{ model }}
where not ({{ column_name }} between {{ minimum }} - 1e-9 and {{ maximum }} + 1e-9)
{% endtest %}

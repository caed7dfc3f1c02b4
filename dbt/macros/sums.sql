{# Sums that hang on no order: a sum of floats differs in its last digits with the order of its rows,
   and an ordered aggregate sorts them all (100 times as slow at 2 million rows). In whole numbers of
   1e-12 a sum is exact; a response's numbers are far below the 9 million that then fit. #}
{% macro whole_sum(number) -%}
sum((({{ number }}) * 1e12)::bigint)
{%- endmacro %}

{% macro from_whole(whole) -%}
({{ whole }})::double / 1e12
{%- endmacro %}

{% macro exact_sum(number) -%}
{{ from_whole(whole_sum(number)) }}
{%- endmacro %}

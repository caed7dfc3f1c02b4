{# Sums that hang on no order: a sum of floats differs in its last digits with the order of its rows,
   and an ordered aggregate sorts them all (100 times as slow at 2 million rows). In whole numbers of
   1e-18 a sum is exact, and holds up to 1.7e20. #}
{% macro whole_sum(number) -%}
sum((({{ number }}) * 1e18)::hugeint)
{%- endmacro %}

{% macro from_whole(whole) -%}
({{ whole }})::double / 1e18
{%- endmacro %}

{% macro exact_sum(number) -%}
{{ from_whole(whole_sum(number)) }}
{%- endmacro %}

{# Names without the catalogue: DuckDB calls that after the file, and a view must hold in every copy. #}
{% macro ref() %}
    {%- set found = builtins.ref(*varargs, **kwargs) -%}
    {{ return(found if found.is_cte else found.include(database=false)) }}
{% endmacro %}

{% macro source() %}
    {%- set found = builtins.source(*varargs, **kwargs) -%}
    {{ return(found if found.is_cte else found.include(database=false)) }}
{% endmacro %}

{# A model's schema is the one that its layer names, in every warehouse. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}

{# The paper's tables stand in a schema of their own: what the name of a seed begins with is gone. #}
{% macro generate_alias_name(custom_alias_name, node) -%}
    {%- if node.resource_type == "seed" -%}
        {{ node.name | replace("paper_", "", 1) }}
    {%- else -%}
        {{ custom_alias_name or node.name }}
    {%- endif -%}
{%- endmacro %}

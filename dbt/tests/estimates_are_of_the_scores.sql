-- {{ config(tags=["structure"]) }}
-- an interval belongs to the number that it stands beside, which SQL and Python compute apart
select llms.llm, llms."value", llms.score, estimates.score as estimated
from {{ ref('llm_values') }} as llms
left join {{ ref('stg_value_estimates') }} as estimates
    on estimates.level = 'llm' and llms.llm = estimates.unit and llms."value" = estimates."value"
where llms.score is not null and abs(llms.score - estimates.score) > 1e-9

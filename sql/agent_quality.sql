-- How good are the agents, and on what was it measured?
select role, model, data, measure, round(number, 3) as number, n, held_out
from analysis.agent_quality
order by role, data, measure, model

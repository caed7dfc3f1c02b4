-- Which LLMs move the structure most when they are left out?
select
    llm, round(min(congruence), 4) as smallest_congruence,
    arg_min(factor, congruence) as factor_moved_most
from analysis.leave_one_out
group by llm
order by smallest_congruence
limit 20

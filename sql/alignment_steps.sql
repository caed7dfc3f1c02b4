-- How did reward, divergence and length go, update by update? Each number is also the mean of the last ten.
-- Variable: run (all where not set).
select
    s.run_id, a.system, a.seed, s.update,
    round(s.reward, 4) as reward, round(avg(s.reward) over ten, 4) as reward_10,
    round(s.kl, 2) as kl, round(avg(s.kl) over ten, 2) as kl_10,
    round(s.tokens, 1) as tokens, round(avg(s.tokens) over ten, 1) as tokens_10,
    round(s.perceptions, 2) as perceptions, round(avg(s.perceptions) over ten, 2) as perceptions_10,
    round(s.silent, 3) as silent,
    round(s.reward_scale, 4) as reward_scale, round(s.kl_weight, 4) as kl_weight,
    round(s.seconds_sampling + s.seconds_reward + s.seconds_learning, 1) as seconds
from analysis.alignment_steps as s
inner join analysis.alignment_runs as a using (run_id)
where s.run_id = coalesce(getvariable('run'), s.run_id)
window ten as (partition by s.run_id order by s.update rows 9 preceding)
order by s.run_id, s.update

-- Which LLMs were aligned to which target, how long did it take, and what was the reward at both ends?
with ends as (
    select
        run,
        avg(reward) filter (where update < 20) as reward_first_20,
        avg(reward) filter (where update >= last - 20) as reward_last_20,
        avg(kl) filter (where update >= last - 20) as kl_last_20
    from (select *, max(update) over (partition by run) + 1 as last from alignment_steps)
    group by run
)

select
    a.run, a.system, a.policy, a.seed, a.updates, a.stopped, a.parameters,
    round(a.seconds) as seconds, a.device, round(a.peak_gib, 2) as peak_gib,
    round(e.reward_first_20, 4) as reward_first_20, round(e.reward_last_20, 4) as reward_last_20,
    round(e.kl_last_20, 2) as kl_last_20, a.target
from alignment_runs as a
left join ends as e on a.run = e.run
order by a.run

-- Which LLMs were aligned to which target, how long did it take, and what came of each run on held-out prompts?
-- A run whose repetition or divergence stands out has found a phrase that M_E likes, not a value.
with ends as (
    select
        run_id,
        avg(reward) filter (where update < 20) as reward_first_20,
        avg(reward) filter (where update >= last - 20) as reward_last_20,
        avg(kl) filter (where update >= last - 20) as kl_last_20
    from (select *, max(update) over (partition by run_id) + 1 as last from analysis.alignment_steps)
    group by run_id
),

held_out as (
    select
        run_id,
        avg(reward) filter (where stage = 'before') as reward_before,
        avg(reward) filter (where stage = 'after') as reward_after,
        avg(kl) filter (where stage = 'after') as kl_after,
        avg(repetition) filter (where stage = 'before') as repetition_before,
        avg(repetition) filter (where stage = 'after') as repetition_after
    from evidence.alignment_responses
    group by run_id
)

select
    a.run_id, a.system, a.policy, a.seed, a.updates, a.stopped, a.parameters,
    round(a.seconds) as seconds, a.device, round(a.peak_gib, 2) as peak_gib,
    round(e.reward_first_20, 4) as reward_first_20, round(e.reward_last_20, 4) as reward_last_20,
    round(e.kl_last_20, 2) as kl_last_20,
    round(h.reward_before, 4) as reward_before, round(h.reward_after, 4) as reward_after,
    round(h.kl_after, 2) as kl_after, round(h.repetition_before, 3) as repetition_before,
    round(h.repetition_after, 3) as repetition_after, a.target
from analysis.alignment_runs as a
left join ends as e on a.run_id = e.run_id
left join held_out as h on a.run_id = h.run_id
order by a.run_id

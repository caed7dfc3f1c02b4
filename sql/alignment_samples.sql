-- What did a policy say to held-out prompts before and after? Variables: run (all where not set), n (ten).
with paired as (
    select
        b.run_id, b.prompt, b.content as before, a.content as after,
        round(b.reward, 3) as reward_before, round(a.reward, 3) as reward_after
    from evidence.alignment_responses as b
    inner join evidence.alignment_responses as a
        on b.run_id = a.run_id and b.prompt = a.prompt and b.sample = a.sample
    where b.stage = 'before' and a.stage = 'after' and b.sample = 0
        and b.run_id = coalesce(getvariable('run'), b.run_id)
)

select *
from paired
order by hash(prompt), run_id
limit coalesce(getvariable('n'), 10)

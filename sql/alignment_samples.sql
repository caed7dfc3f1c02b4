-- What did a policy say to held-out prompts before and after? Variables: run (all where not set), n (ten).
with paired as (
    select
        b.run, b.prompt, b.content as before, a.content as after,
        round(b.reward, 3) as reward_before, round(a.reward, 3) as reward_after
    from alignment_responses as b
    inner join alignment_responses as a
        on b.run = a.run and b.prompt = a.prompt and b.sample = a.sample
    where b.stage = 'before' and a.stage = 'after' and b.sample = 0
        and b.run = coalesce(getvariable('run'), b.run)
)

select *
from paired
order by hash(prompt), run
limit coalesce(getvariable('n'), 10)

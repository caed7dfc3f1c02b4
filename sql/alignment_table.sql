-- How helpful, harmless and near to its target is each aligned LLM, beside the paper's Table 4?
-- Means with 95% intervals over prompts and seeds; two judges of one thing stand in one cell.
-- The paper judged another LLM on other prompts by Beaver's models: only the order of systems compares.
with stages as (
    select
        system, 'aligned' as stage, measure,
        after as mean, after_low as low, after_high as high, n_prompts, n_seeds
    from analysis.alignment_results
    union all
    select system, 'unaligned' as stage, measure, before, before_low, before_high, n_prompts, n_seeds
    from analysis.alignment_results
),

cells as (
    select
        system, stage, measure, n_prompts, n_seeds,
        case
            when measure = 'reward' then 'distance'
            when measure in ('kl', 'tokens') then measure
            else split_part(measure, ',', 1)
        end as what,
        if(measure = 'reward', -mean, mean) as mean,
        if(measure = 'reward', -high, low) as low,
        if(measure = 'reward', -low, high) as high
    from stages
),

written as (
    select
        system, stage, measure, n_prompts, n_seeds, what,
        case
            when what in ('harmlessness', 'distance')
                then format('{:.3f} [{:.3f}, {:.3f}]', mean, low, high)
            when what = 'helpfulness' then format('{:.2f} [{:.2f}, {:.2f}]', mean, low, high)
            else format('{:.1f} [{:.1f}, {:.1f}]', mean, low, high)
        end as cell
    from cells
),

wide as (
    select
        system, stage, max(n_prompts) as prompts, max(n_seeds) as seeds,
        string_agg(cell, '; ' order by measure) filter (where what = 'harmlessness') as harmlessness,
        string_agg(cell, '; ' order by measure) filter (where what = 'helpfulness') as helpfulness,
        max(cell) filter (where what = 'distance') as distance_to_target,
        max(cell) filter (where what = 'kl') as kl,
        max(cell) filter (where what = 'tokens') as tokens
    from written
    group by system, stage
)

select
    w.system, w.stage, w.harmlessness, w.helpfulness, w.distance_to_target, w.kl, w.tokens,
    w.prompts, w.seeds,
    t.harmlessness as paper_harmlessness, t.helpfulness as paper_helpfulness
from wide as w
left join paper.alignment as t
    on w.stage = 'aligned'
    and t.value_system = case w.system when 'published' then 'GPLA' when 'Schwartz-10' then 'Schwartz' end
order by w.system, w.stage desc

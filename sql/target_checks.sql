-- How often is the response nearer to the target the preferred one, on prompts held out?
-- Variable: system (all where not set). Length knows no values; where it is right, a target that
-- follows length is right as well: compare accuracy_longer_won with accuracy_shorter_won.
select
    system, predictor, round(accuracy, 3) as accuracy, round(low, 3) as low, round(high, 3) as high,
    round(decided, 3) as decided, round(accuracy_decided, 3) as accuracy_decided,
    round(accuracy_longer_won, 3) as accuracy_longer_won,
    round(accuracy_shorter_won, 3) as accuracy_shorter_won, p, draws, n_pairs, n_prompts
from analysis.target_checks
where system = coalesce(getvariable('system'), system)
order by
    system,
    list_position(
        ['target', 'longer response', 'random target', 'shuffled preferences'], predictor
    )

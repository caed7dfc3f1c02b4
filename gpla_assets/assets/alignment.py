"""An LLM aligned to targets, and what that did to its responses (the paper's 5.3)."""

import json
from pathlib import Path

import pandas as pd

from gpla_assets.alignment.checkpoint import Checkpoint
from gpla_assets.alignment.prompts import held_out_prompts, training_prompts
from gpla_assets.alignment.results import compared, sameness
from gpla_assets.alignment.reward import AlignmentTarget, DistanceReward
from gpla_assets.alignment.run import RunPlan, align, held_out_responses
from gpla_assets.alignment.second_evaluator import SentimentEvaluator
from gpla_assets.alignment.spaces import target
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.evaluator.backends import make_evaluator
from gpla_assets.judges import judged, make_judge
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.progress import progress
from gpla_assets.orchestration.steps import step
from gpla_assets.parser.backends import make_parser
from gpla_assets.studies import Study, warehouse_folder

MEASURES = (
    *("reward", "sure_reward", "second_reward", "kl", "tokens", "perceptions"),
    *("repetition", "distinct", "compression"),
)
RESPONSES = """
select r.*, a.system, a.seed
from evidence.alignment_responses r join analysis.alignment_runs a using (run_id)
"""
JUDGED = "select run_id, stage, prompt, sample, content from evidence.alignment_responses"
JUDGEMENTS = """
select j.*, a.system, a.seed
from evidence.judgements j join analysis.alignment_runs a using (run_id)
"""
TARGETS = "select dimension, target from analysis.targets where system = ?"


@step(
    stage="12_alignment",
    tables=("alignment_runs", "alignment_steps", "alignment_distances", "alignment_responses"),
    upstream=("targets if alignment.target=distilled",),
    settings=(
        "alignment.policy",
        "alignment.revision",
        "alignment.target",
        "alignment.prompts",
        "alignment.n_prompts",
        "alignment.longest_prompt",
        "alignment.samples",
        "alignment.minimum_relevance",
        "alignment.ppo",
    ),
    agents=("parser", "evaluator"),
    inputs=("alignment",),
    partitions="runs",
    asked_by="alignment.policy",
)
def policies(made: Making) -> None:
    """Runs of PPO; one that was stopped goes on from its checkpoint."""
    settings = made.study
    frames: dict[str, list[pd.DataFrame]] = {}
    for key in made.keys:
        for table, rows in _run(made, settings, key).items():
            frames.setdefault(table, []).append(rows.assign(run_id=key))
    for table, parts in frames.items():
        made.write(table, pd.concat(parts, ignore_index=True), "run_id", made.keys)
    made.details = {
        str(row.run_id): f"{row.updates} updates, {row.seconds:.0f} s"
        for row in pd.concat(frames["alignment_runs"]).itertuples()
    }


def _run(made: Making, settings: Study, key: str) -> dict[str, pd.DataFrame]:
    """One run's rows by table."""
    own = settings.alignment
    system, _, seed = key.split("|")
    aim = _target(made, settings, system)
    parser = make_parser(settings.parser, made.asking())
    relevant = settings.evaluator.model_copy(update={"minimum_relevance": own.minimum_relevance})
    judge = make_evaluator(relevant, made.asking())
    agents = {
        "parser": parser.model,
        "evaluator": judge.model,
        "minimum_relevance": str(own.minimum_relevance),
    }
    plan = RunPlan(
        str(own.policy), own.revision, aim, training_prompts(own), int(seed), own.ppo, agents
    )
    reward = DistanceReward(parser, judge, aim)
    sure = DistanceReward(parser, make_evaluator(settings.evaluator, made.asking()), aim)
    second = DistanceReward(parser, SentimentEvaluator(make_embedder()), aim)
    rewards = {"reward": reward, "sure_reward": sure, "second_reward": second}
    with progress(key, own.ppo.updates) as advance:
        policy, done = align(plan, reward, run_folder(plan), lambda numbers, most: advance(1))
        responses = held_out_responses(
            policy, held_out_prompts(own), plan.seed, own.samples, rewards
        )
    return {
        "alignment_runs": _run_row(plan, done, sum(p.numel() for p in policy.parameters())),
        "alignment_steps": pd.DataFrame(done.steps),
        "alignment_distances": pd.DataFrame(
            [
                {"update": number, "dimension": name, "distance": distance}
                for number, row in enumerate(done.distances)
                for name, distance in row.items()
            ]
        ),
        "alignment_responses": responses,
    }


def _run_row(plan: RunPlan, done: Checkpoint, parameters: int) -> pd.DataFrame:
    row = {
        "system": plan.target.system.name,
        "policy": plan.policy,
        "seed": plan.seed,
        "target": json.dumps(dict(plan.target.point)),
        "updates": done.update,
        "stopped": done.stopped,
        "parameters": parameters,
        "seconds": done.seconds,
        "device": done.device,
        "peak_gib": done.peak_gib,
        "agents": json.dumps(dict(plan.agents)),
    }
    return pd.DataFrame([row])


def run_folder(plan: RunPlan) -> Path:
    """Where a run's checkpoint lies: of another plan, another folder."""
    return warehouse_folder() / "policies" / plan.fingerprint


def _target(made: Making, settings: Study, system: str) -> AlignmentTarget:
    if settings.alignment.target == "published":
        return target(system)
    return target(system, made.read(TARGETS, [system]))


@step(
    stage="12_alignment",
    tables=("judgements",),
    upstream=("policies",),
    settings=("alignment.judges",),
    asked_by="alignment.policy",
)
def judgements(made: Making) -> None:
    """Helpfulness and harmlessness of the responses before and after alignment."""
    own = made.study.alignment
    found = made.read(JUDGED)
    columns = ["run_id", "stage", "prompt", "sample", "judge", "measure", "score"]
    parts = [pd.DataFrame(columns=columns)]
    for settings in own.judges if len(found) else []:
        judge = make_judge(settings, made.asking())
        scores = judged(judge, found)
        rows = found.drop(columns="content").assign(
            judge=judge.name, measure=judge.measure, score=scores
        )
        parts.append(rows)
        made.inferences += judge.inferences
        made.details[judge.name] = judge.model
    made.write("judgements", pd.concat(parts)[columns])


@step(
    stage="12_alignment",
    tables=("alignment_results",),
    upstream=("policies", "judgements"),
    settings=("seed",),
    asked_by="alignment.policy",
)
def alignment_results(made: Making) -> None:
    """What alignment changed on held-out prompts, by system and measure."""
    responses, judged = made.read(RESPONSES), made.read(JUDGEMENTS)
    seed = made.study.seed
    parts = [
        compared(responses, MEASURES, seed=seed),
        sameness(responses),
        *(
            compared(rows.rename(columns={"score": name}), [str(name)], seed=seed)
            for name, rows in judged.assign(
                named=judged["measure"] + ", " + judged["judge"]
            ).groupby("named")
        ),
    ]
    made.write("alignment_results", pd.concat(parts, ignore_index=True))

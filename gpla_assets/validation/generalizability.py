"""How many questions LLMs' scores need: variance components of responses' scores.

Generalizability theory (Cronbach et al., 1972; Brennan, 2001) takes the variance of responses'
scores apart: between LLMs, between questions, and what is peculiar to an LLM's answer to a
question, which more questions average out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.psychometrics.variance import crossed_components

Floats = NDArray[np.float64]

COMPONENTS = ["value", "units", "questions", "scored"]
COMPONENTS += ["between_units", "between_questions", "interaction", "within"]
DESIGN = ["value", "units", "questions", "samples", "scored", *COMPONENTS[4:]]
DESIGN += ["coefficient", "twice_questions", "twice_samples"]
FEWEST_SCORED = 2
"""Responses with a score that a unit must have on average: of fewer nothing can be told apart."""


def stepped_up(r: Floats | float, factor: float = 2.0) -> Floats:
    """Reliability of a test `factor` times as long (Spearman and Brown): f r / (1 + (f - 1) r).

    >>> float(stepped_up(0.5).round(3))
    0.667
    """
    found = np.asarray(r, float)
    return factor * found / (1 + (factor - 1) * found)


def questions_needed(reliability: float, questions: int, wanted: float) -> float:
    """Questions for the reliability `wanted` where `questions` give `reliability`; inf of none.

    >>> questions_needed(0.5, 20, 0.7), questions_needed(0.0, 20, 0.7)
    (46.7, inf)
    """
    if not reliability > 0:
        return float("inf")
    if reliability >= 1:
        return 1.0
    factor = wanted * (1 - reliability) / (reliability * (1 - wanted))
    return round(factor * questions, 1)


def components(cells: pd.DataFrame) -> pd.DataFrame:
    """Variance components of responses' scores, value by value: rows with COMPONENTS.

    `cells`: unit (a LLM), question, value, score, one row a response and value, or several where a
    LLM was asked again; score is NaN where a response says nothing of the value, and `scored` the
    share of the units' questions whose response does. `between_units` is what is to be measured;
    `interaction`, a LLM's answer to one question, is what more questions average out, and holds
    what differs between samples where no question was asked again; else that is `within`. Cell
    means are analysed as a crossed table (Henderson's method III), less their share of `within`.
    Negative estimates are 0; null with fewer than two units or questions, or too few scores.
    """
    units, questions = cells["unit"].nunique(), cells["question"].nunique()
    rows = [
        (value, units, questions, *_components(own.dropna(subset=["score"]), units, questions))
        for value, own in cells.groupby("value", sort=True)
    ]
    table = pd.DataFrame(rows, columns=COMPONENTS)
    return table.astype(dict.fromkeys(COMPONENTS[3:], float))


def _components(rows: pd.DataFrame, units: int, questions: int) -> tuple[object, ...]:
    means = rows.groupby(["unit", "question"])["score"].agg(["mean", "size"]).reset_index()
    scored = len(means) / (units * questions)
    own, asked = means["unit"].nunique(), means["question"].nunique()
    if own < 2 or asked < 2 or len(means) < max(FEWEST_SCORED * units, own + asked):
        return scored, None, None, None, None
    between, by_question, residual = crossed_components(
        means["mean"].to_numpy(float), means["unit"], means["question"]
    )
    within = None
    again = len(rows) - len(means)
    if again:
        mean = rows.groupby(["unit", "question"])["score"].transform("mean")
        within = float(((rows["score"] - mean) ** 2).sum() / again)
        # the mean of so many samples has that share of their variance
        residual -= within * float((1 / means["size"]).mean())
    return scored, *(max(one, 0.0) for one in (between, by_question, residual)), within


def coefficient(
    parts: pd.DataFrame, questions: float | pd.Series, asked: float | pd.Series = 1
) -> pd.Series:
    """Generalizability of scores from so many questions, `asked` so many times each, by value.

    Only a share of the questions gives a score (`scored`).
    """
    error = parts["interaction"] + parts["within"].fillna(0.0) / asked
    signal = parts["between_units"]
    found = signal / (signal + error / (parts["scored"] * questions))
    return found.where(signal + error > 0).set_axis(parts["value"]).rename("reliability")


def generalizability(cells: pd.DataFrame) -> pd.DataFrame:
    """Components with the coefficient of this design, by value: rows with DESIGN.

    `cells` as for `components`. `samples` is how often a question that gave a score did so, as the
    harmonic mean, by which the variance between samples counts. The coefficient is the share of
    the scores' variance that units make (generalizability of relative decisions, Brennan, 2001):
    of this design, of twice as many questions, and of twice as many samples of these.
    """
    parts = components(cells)
    scored = cells.dropna(subset=["score"]).groupby(["value", "unit", "question"]).size()
    asked = 1 / (1 / scored).groupby("value").mean()
    samples = parts["value"].map(asked).astype(float)
    k = parts["questions"]
    designs = {
        "coefficient": (k, samples),
        "twice_questions": (2 * k, samples),
        "twice_samples": (k, 2 * samples),
    }
    found = {name: coefficient(parts, *own).to_numpy() for name, own in designs.items()}
    # what more samples do is known only where some were asked again
    found["twice_samples"] = np.where(parts["within"].isna(), np.nan, found["twice_samples"])
    return parts.assign(samples=samples, **found)[DESIGN]


def planned(parts: pd.DataFrame, wanted: float) -> pd.DataFrame:
    """Components with the `reliability` of the questions there are, and how many are `needed`.

    `needed` is for the reliability `wanted`: infinite where LLMs do not differ, null where there
    is no estimate.
    """
    now, one = (coefficient(parts, number) for number in (parts["questions"], 1))
    needed = [np.nan if np.isnan(g) else questions_needed(float(g), 1, wanted) for g in one]
    return parts.assign(reliability=now.to_numpy(), needed=needed)

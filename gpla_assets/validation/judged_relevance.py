"""Does M_E hear what a text is about, as people do, and what its holder values?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.scoring import is_relevant
from gpla_assets.validation.findings import Finding, Places, auc, with_interval
from gpla_assets.validation.generalizability import stepped_up

RELEVANCE, PORTRAIT = "relevance", "Value Portrait"
TOUCHE, PORTRAITS = "Touché's arguments", "answers that people rated"
SPLITS = 20
Statistic = Callable[[Places], float]
FEWEST_RATERS = 8


def touche_findings(
    arguments: pd.DataFrame,
    categories: pd.DataFrame,
    evaluator: ValueEvaluator,
    cut: float,
) -> Iterator[Finding]:
    """Relevance beside people's labels: AUC of each category and their mean, and recall at the cut.

    `arguments`: rows (content, and a column of 0 and 1 a category); `categories`: (value,
    definition). Intervals of means are over categories.
    """
    names, contents = list(categories["value"]), list(arguments["content"])
    reading = evaluator.read(contents, names, list(categories["definition"]))
    truth = arguments[names].to_numpy() > 0
    above = is_relevant(reading.relevance, cut)
    areas = np.array([auc(truth[:, k], reading.relevance[:, k]) for k in range(len(names))])
    recall = np.array([above[truth[:, k], k].mean() for k in range(len(names))])
    false = np.array([above[~truth[:, k], k].mean() for k in range(len(names))])
    rows = (
        ("AUC, mean of categories", areas, "1; chance .5"),
        ("recall above the cut, mean of categories", recall, "1"),
        ("false positives above the cut, mean of categories", false, "0"),
    )
    for measure, each, known in rows:
        numbers = with_interval(_mean_of(each), names)
        yield Finding(
            RELEVANCE, TOUCHE, evaluator.model, "", measure, *numbers, len(contents), known
        )
    for name, area in zip(names, areas, strict=True):
        n, nan = len(contents), float("nan")
        yield Finding(
            RELEVANCE,
            TOUCHE,
            evaluator.model,
            "",
            f"AUC, {name}",
            area,
            nan,
            nan,
            n,
            "1; chance .5",
        )


def _mean_of(each: NDArray[np.floating]) -> Statistic:
    return lambda places: float(each[places].mean())


def labelled_findings(
    pairs: pd.DataFrame, relevance: NDArray[np.floating], data: str, agent: str, cut: float
) -> Iterator[Finding]:
    """Relevance (n,) of labelled pairs: rows (content, relation), - for irrelevant ones.

    Intervals are over texts.
    """
    truth = (pairs["relation"] != "-").to_numpy()
    above = is_relevant(relevance, cut)

    def share(of: NDArray[np.bool_]) -> Statistic:
        # a draw of texts may hold none of them
        return lambda places: float(above[places][of[places]].sum() / max(of[places].sum(), 1))

    statistics: dict[str, tuple[Statistic, str]] = {
        "AUC": (lambda places: auc(truth[places], relevance[places]), "1; chance .5"),
        "recall above the cut": (share(truth), "1"),
        "false positives above the cut": (share(~truth), "0"),
    }
    for measure, (statistic, known) in statistics.items():
        numbers = with_interval(statistic, list(pairs["content"]))
        yield Finding(RELEVANCE, data, agent, "", measure, *numbers, len(pairs), known)


def portrait_findings(
    labels: pd.DataFrame,
    ratings: pd.DataFrame,
    definitions: dict[str, str],
    evaluator: ValueEvaluator,
) -> Iterator[Finding]:
    """Rank correlation, within a value, of M_E's numbers with how people's own values go with
    agreeing to an answer; and the ceiling that the ratings' noise leaves.

    `labels`: rows (item, content, value, r); `ratings`: rows (item, participant, similarity, and a
    column a value). Means over values, intervals over items.
    """
    items = labels.drop_duplicates("item")[["item", "content"]]
    truth = labels.pivot(index="item", columns="value", values="r").loc[items["item"]]
    values = list(truth.columns)
    n, m = truth.shape
    found = evaluator.score(
        [text for text in items["content"] for _ in values],
        values * n,
        [definitions[value] for value in values] * n,
    )
    lean = found["score"].to_numpy(float).reshape(n, m)
    relevance = found["relevance"].to_numpy(float).reshape(n, m)
    known = f"chance 0; noise ceiling {noise_ceiling(ratings, values):.2f}"
    numbers = {"lean": lean, "relevance": relevance, "lean x relevance": lean * relevance}
    people = truth.to_numpy(float)
    for measure, own in numbers.items():
        name = f"rank r of {measure}, mean of values"
        interval = with_interval(_mean_rank_r(own, people), list(items["item"]))
        yield Finding(PORTRAIT, PORTRAITS, evaluator.model, "", name, *interval, n * m, known)


def _mean_rank_r(a: NDArray[np.floating], b: NDArray[np.floating]) -> Statistic:
    def of(places: Places) -> float:
        ranks = rankdata(a[places], axis=0), rankdata(b[places], axis=0)
        return float(np.mean(_columns_r(*ranks)))

    return of


def _columns_r(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Pearson's r of each column of a with that of b: (n, m), (n, m) -> (m,)."""
    a, b = a - a.mean(0), b - b.mean(0)
    size = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    found: NDArray[np.floating] = np.divide(
        (a * b).sum(0), size, out=np.zeros(a.shape[1]), where=size > 0
    )
    return found


def noise_ceiling(ratings: pd.DataFrame, values: list[str], seed: int = 0) -> float:
    """The highest correlation that anything can have with the labels, by the noise of ratings.

    Raters of an item are halved at random; Spearman's r of the halves over items, mean of values
    and SPLITS, is projected to all raters (Spearman-Brown), and its root taken.
    """
    random = np.random.default_rng(seed)
    names = np.array(sorted(ratings["participant"].unique()), object)
    found = []
    for _ in range(SPLITS):
        first = set(random.permutation(names)[: len(names) // 2])
        of_half = [
            _item_r(ratings[ratings["participant"].isin(first) == half], values)
            for half in (True, False)
        ]
        shared = of_half[0].index.intersection(of_half[1].index)
        both = [half.loc[shared].to_numpy() for half in of_half]
        found += [float(spearmanr(both[0][:, k], both[1][:, k])[0]) for k in range(len(values))]
    r = float(np.nanmean(found))
    return float(np.sqrt(max(float(stepped_up(r)), 0.0)))


def _item_r(ratings: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    """Spearman's r of rating and own value, items x values."""
    found = {}
    for item, rows in ratings.groupby("item"):
        if len(rows) >= FEWEST_RATERS:
            said = rankdata(rows["similarity"])[:, None].repeat(len(values), 1)
            found[item] = _columns_r(said, rankdata(rows[values].to_numpy(float), axis=0))
    return pd.DataFrame.from_dict(found, orient="index", columns=values)

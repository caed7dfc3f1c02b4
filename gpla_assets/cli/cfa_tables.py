"""Tables of confirmatory factor analysis on the terminal, in the order of lavaan's summary."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from gpla_assets.cli.commands import console, shown
from gpla_assets.common.json_data import Json

LARGE_RESIDUAL = 0.1
SHOWN_RESIDUALS = 10
SHOWN_PATHS = 10
INDICES = ("cfi", "tli", "rmsea", "srmr", "gfi", "aic", "bic", "bic_adjusted")


def heading(result: Json) -> None:
    """Whom the numbers are of."""
    clusters = result["clusters"]
    within = (
        f" in {clusters['n']} clusters (LLMs) of {clusters['smallest']} to {clusters['largest']}"
        if clusters
        else ""
    )
    console.print(
        f"{escape(result['system'])}: n = {result['n']} subjects{within}, {result['p']} values, "
        f"{result['k']} parameters, df = {result['df']}",
        soft_wrap=True,
        highlight=False,
    )


def fit_table(result: Json) -> None:
    """Fit indices by set; the clusters stand in the heading of the robust ones."""
    standard, robust, paper = (result["fit"][name] for name in ("standard", "robust", "paper"))
    clusters = result["clusters"]
    titles = ["fit", f"standard, n = {result['n']}"]
    if robust:
        titles.append(f"robust, {clusters['n']} clusters" if clusters else "robust")
    table = Table(*titles, "paper's (semopy's)")

    def row(name: str, one: str, other: str, third: str = "") -> None:
        table.add_row(name, one, *([other] if robust else []), third)

    one, two = standard, robust or {}
    row("chi2", shown(one["chi2"]), shown(two.get("chi2")), shown(paper["chi2"]))
    row("p", probability(one["p"]), probability(two.get("p")))
    for name in INDICES:
        other = two.get(name)
        row(
            name,
            shown(one[name]),
            "" if other is None else shown(other),
            shown(paper[name]) if paper.get(name) is not None else "",
        )
        if name == "rmsea":
            interval = two.get("rmsea_ci") or [None, None]
            row("  90% interval", between(*one["rmsea_ci"]), between(*interval))
    if robust:
        row("scaling", "", shown(two["scaling"]))
    console.print(table)


def loading_table(result: Json) -> None:
    """Loadings by factor, with R2."""
    explained = {one["value"]: one["r2"] for one in result["values"]}
    table = Table(
        *("factor", "value", "estimate", "SE", "std", "SE", "z", "p", "95% interval", "R2"),
        title=f"Loadings (std: standardised; SE: {result['errors']})",
    )
    for one in result["loadings"]:
        fixed = one["estimate_se"] is not None and one["estimate_se"] < 1e-12
        table.add_row(
            escape(one["factor"]),
            escape(one["value"]),
            shown(one["estimate"]),
            "" if fixed else shown(one["estimate_se"]),
            *(shown(one[name]) for name in ("standardised", "se", "z")),
            probability(one["p"]),
            between(one["ci_low"], one["ci_high"], 2),
            shown(explained[one["value"]]),
        )
    console.print(table)


def factor_table(result: Json) -> None:
    """Correlations of factors, each once."""
    names = list(dict.fromkeys(one["factor_a"] for one in result["factor_correlations"]))
    place = {name: at for at, name in enumerate(names)}
    rows = [
        one
        for one in result["factor_correlations"]
        if place[one["factor_a"]] < place[one["factor_b"]]
    ]
    if not rows:
        return
    table = Table("factor", "with", "r", "SE", title="Correlations of factors")
    for one in rows:
        table.add_row(
            escape(one["factor_a"]), escape(one["factor_b"]), shown(one["r"]), shown(one["se"])
        )
    console.print(table)


def residual_table(result: Json) -> None:
    """The largest residual correlations, and how many are large."""
    rows = result["residual_correlations"]
    large = sum(abs(one["residual"]) > LARGE_RESIDUAL for one in rows)
    table = Table(
        *("value", "with", "residual r"),
        title=f"Residual correlations: {large} of {len(rows)} beyond {LARGE_RESIDUAL}",
    )
    for one in rows[:SHOWN_RESIDUALS]:
        table.add_row(escape(one["value_a"]), escape(one["value_b"]), shown(one["residual"]))
    console.print(table)


def path_table(result: Json) -> None:
    """The omitted paths with the largest modification indices."""
    table = Table(
        *("path", "value", "with", "MI", "EPC", "EPC, total sd"),
        title="Modification indices (EPC standardised: of residuals by their own sd, as lavaan's "
        "sepc.all, and by the values' total sd)",
    )
    for one in result["omitted_paths"][:SHOWN_PATHS]:
        table.add_row(
            one["kind"],
            escape(one["value"]),
            escape(one["other"]),
            shown(one["modification_index"], 2),
            shown(one["expected_change"]),
            shown(one["expected_change_total"]),
        )
    console.print(table)


def validity_table(result: Json) -> None:
    """Reliability and validity of factors, and how far they differ."""
    found = result["validity"]
    table = Table("factor", "CR", "AVE", "root AVE", "largest r", title="Reliability and validity")
    for one in found["factors"]:
        table.add_row(
            escape(one["factor"]),
            *(shown(one[name]) for name in ("cr", "ave", "root_ave", "largest_r")),
        )
    console.print(table)
    if found["htmt"]:
        table = Table("factor", "with", "HTMT", "95% interval", title="HTMT")
        for one in found["htmt"]:
            table.add_row(
                escape(one["factor_a"]),
                escape(one["factor_b"]),
                shown(one["htmt"]),
                between(one["ci_low"], one["ci_high"], 2),
            )
        console.print(table)
    general = found["bifactor"]
    if general and general.get("omega_hierarchical") is not None:
        console.print(
            f"bifactor model: omega hierarchical {shown(general['omega_hierarchical'])}, omega "
            f"total {shown(general['omega_total'])}, ECV {shown(general['ecv'])}"
        )


def invariance_table(result: Json) -> None:
    """Levels of invariance, then what each costs beside the one before it, then score tests."""
    clusters = result["clusters"]
    table = Table(
        *("level", "chi2", "df", "p", "CFI", "TLI", "RMSEA", "SRMR", "BIC"),
        title=f"n = {result['n']}" + (f" in {clusters['n']} clusters (LLMs)" if clusters else ""),
    )
    for one in result["levels"]:
        table.add_row(
            one["level"],
            shown(one["chi2"], 2),
            str(one["df"]),
            probability(one["p"]),
            *(shown(one[name]) for name in ("cfi", "tli", "rmsea", "srmr")),
            shown(one["bic"], 1),
        )
    console.print(table)
    table = Table(
        *("held equal too", "Δchi2", "Δdf", "p", "ΔCFI", "ΔRMSEA", "p, permuted"),
        title=f"Differences ({result['permuted']})",
    )
    for one in result["levels"]:
        table.add_row(
            {"configural": "(nothing)", "metric": "loadings", "scalar": "intercepts"}.get(
                one["level"], "residuals"
            ),
            shown(one["delta_chi2"], 2),
            shown(one["delta_df"], 0),
            probability(one["delta_p"]),
            *(shown(one["delta_cfi"]), shown(one["delta_rmsea"])),
            probability(one["permutation_p"]),
        )
    console.print(table)
    rows = [one for one in result["score_tests"] if one["p"] < 0.05][:SHOWN_PATHS]
    if rows:
        table = Table(
            *("level", "held equal", "value", "factor", "chi2", "df", "p"),
            title="Score tests of what is held equal, p < .05: freeing it makes partial invariance",
        )
        for one in rows:
            table.add_row(
                one["level"],
                one["part"],
                escape(one["value"]),
                escape(one["factor"] or ""),
                shown(one["chi2"], 2),
                str(one["df"]),
                probability(one["p"]),
            )
        console.print(table)


def cautions(said: list[str]) -> None:
    """What a reader must be told."""
    for caution in said:
        console.print(f"[yellow]caution:[/yellow] {escape(caution)}", soft_wrap=True)


def between(low: float | None, high: float | None, decimals: int = 3) -> str:
    """An interval; a dash where it does not exist."""
    if low is None or high is None:
        return "-"
    return f"[{shown(low, decimals)}, {shown(high, decimals)}]".replace("[", r"\[")


def probability(p: float | None) -> str:
    """A p of a table; below .001 as such."""
    if p is None:
        return "-"
    return "<.001" if p < 0.001 else f"{p:.3f}"

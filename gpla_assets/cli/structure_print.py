"""A value system on the terminal: what users of psych look for first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from gpla_assets.cli.commands import console, shown

if TYPE_CHECKING:
    from gpla_assets.common.json_data import Json


def print_structure(result: Json, already: int = 0) -> None:
    """Print a value system; `already` of its cautions have been printed."""
    given = result["settings"]
    console.print(
        f"{result['n']} subjects x {result['p']} values ({result['sample']}, "
        f"{result['n_per_pair']:g} behind the median pair), KMO {shown(result['kmo'])}, "
        f"{_bartlett(result['bartlett'])}",
        soft_wrap=True,
    )
    suggested = ", ".join(f"{rule} {number}" for rule, number in result["suggested"].items())
    console.print(f"factors suggested: {suggested}", soft_wrap=True)
    console.print(
        f"{given['extraction']}, {given['rotation']} ({_conventions(given)}), "
        f"{given['correlation']} correlations",
        soft_wrap=True,
    )
    console.print(_loadings(result))
    console.print(_variance(result))
    if given["rotation"] in ("oblimin", "promax") and len(result["factors"]) > 1:
        console.print(_factor_correlations(result))
    console.print(_fit(result["fit"]), soft_wrap=True)
    console.print(_reliabilities(result))
    if result["redundancy"]:
        console.print(_redundancy(result))
    removed = ", ".join(f"{one['value']} ({one['reason']})" for one in result["removed"])
    console.print(f"{len(result['removed'])} values removed{': ' if removed else ''}"
                  f"{escape(removed)}", soft_wrap=True)  # fmt: skip
    for caution in result["cautions"][already:]:
        console.print(f"[yellow]caution:[/yellow] {escape(caution)}", soft_wrap=True)


def _bartlett(test: Json) -> str:
    if test["chi2"] is None:
        return "no Bartlett's test"
    return f"Bartlett's chi2({test['df']}) = {test['chi2']:.2f}, p {_p(test['p'])}"


def _conventions(given: Json) -> str:
    power = f", power {given['promax_power']}" if given["promax_power"] else ""
    return f"normalisation: {given['normalisation']}{power}"


def _p(number: float | None) -> str:
    if number is None:
        return "-"
    # what a computer no longer tells from 0
    if number == 0:
        return "< 1e-300"
    return f"= {number:.2g}" if number >= 0.001 else f"= {number:.1e}"


def _labels(result: Json) -> list[str]:
    return [str(one["label"]) for one in result["factors"]]


def _loadings(result: Json) -> Table:
    """All loadings sorted by factor, with h2, u2 and complexity; primary ones in bold."""
    labels = _labels(result)
    table = Table("value", *labels, "h2", "u2", "com", title="loadings", title_justify="left")
    for row in result["loadings"]:
        cells = [
            f"[bold]{one:.2f}[/bold]" if label == row["factor"] else f"{one:.2f}"
            for label, one in row["loadings"].items()
        ]
        more = (shown(row["h2"], 2), shown(row["u2"], 3), shown(row["complexity"], 1))
        table.add_row(escape(row["value"]), *cells, *more)
    return table


def _variance(result: Json) -> Table:
    table = Table("", *_labels(result), title="variance", title_justify="left")
    for name, words in (
        ("ss_loadings", "sum of squares"),
        ("share", "share of variance"),
        ("cumulative", "cumulative"),
        ("share_of_common", "share of common"),
    ):
        table.add_row(words, *(shown(one[name], 2) for one in result["variance"]))
    return table


def _factor_correlations(result: Json) -> Table:
    labels = _labels(result)
    cells = {(a, b): r for a, b, r in result["factor_correlations"]}
    table = Table("", *labels, title="factor correlations", title_justify="left")
    for a in labels:
        table.add_row(a, *(shown(cells[a, b], 2) for b in labels))
    return table


def _fit(fit: Json) -> str:
    """One line on the fit: of principal components that of their residuals alone."""
    parts = [f"RMSR {fit['rmsr']:.3f} (df-corrected {shown(fit['rmsr_corrected'])})"]
    if fit["chi2"] is not None and fit["p"] is not None:
        parts = [
            f"chi2({fit['df']}) = {fit['chi2']:.2f}, p {_p(fit['p'])}",
            *parts,
            f"RMSEA {fit['rmsea']:.3f} [{fit['rmsea_low']:.3f}, {fit['rmsea_high']:.3f}] (90%)",
            f"TLI {shown(fit['tli'])}",
            f"BIC {fit['bic']:.2f}",
        ]
    elif fit["chi2"] is not None:
        parts.append(f"df {fit['df']}: no test")
    return f"fit, n = {fit['n_subjects']}: {', '.join(parts)}"


def _reliabilities(result: Json) -> Table:
    names = ("factor", "k", "n", "alpha", "low", "high", "omega", "obs.", "halves", "r")
    title = "reliability: k values, alpha's 95% interval, omega (implied, observed), mean r"
    table = Table(*names, title=title, title_justify="left")
    for one in result["factors"]:
        between = one["alpha_ci"]
        table.add_row(
            one["label"],
            str(len(one["values"])),
            str(one["n"]),
            shown(one["alpha"]),
            *(shown(one) for one in between or (None, None)),
            *(shown(one[name], 2) for name in ("omega", "omega_observed", "split_half", "mean_r")),
        )
    return table


def _redundancy(result: Json) -> Table:
    names = ("value", "value", "overlap", "r", "partial r", "redundant")
    table = Table(*names, title="values that stand for one another", title_justify="left")
    for one in result["redundancy"][:10]:
        numbers = (shown(one[name], 2) for name in ("overlap", "r", "partial_r"))
        redundant = "yes" if one["redundant"] else ""
        table.add_row(escape(one["value_a"]), escape(one["value_b"]), *numbers, redundant)
    return table

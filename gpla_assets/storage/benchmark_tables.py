"""The tables of the benchmarks of value systems."""

from __future__ import annotations

from sqlmodel import SQLModel

from gpla_assets.storage.columns import ANALYSIS, column, key, share


class FitDefinition(SQLModel, table=True):
    __tablename__ = "fit_definitions"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per definition of a fit index."}
    definition: str = key("Its id, e.g. rmsea.standard.")
    set: str = column("standard, robust, or paper (semopy's, which Table 2 printed).")
    index: str = column("Name of the index.")
    formula: str = column("How it is computed.")
    source: str = column("Where the formula is from.")


class CfaFit(SQLModel, table=True):
    __tablename__ = "cfa_fits"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per comparison, split, system and structure fitted.",
    }
    comparison: str = key(
        "paper (as in 5.1) or fair (same values, same held-out LLMs).", among=("paper", "fair")
    )
    split: int = key("Number of the random split.")
    system: str = key("The value system: ours, Schwartz-10, Schwartz-4.")
    structure: str = key("correlated, higher_order or bifactor.")
    n: int = column("Subjects, drawn ones included.")
    p: int = column("Values.")
    k: int | None = column("Free parameters.", default=None)
    df: int | None = column("Degrees of freedom.", default=None)
    discrepancy: float | None = column("F at the optimum of the exact gradients.", default=None)
    rmsea_low: float | None = column("Lower end of the RMSEA's 90% interval.", default=None)
    rmsea_high: float | None = column("Upper end.", default=None)
    engine: str = column("What fitted it.")
    converged: bool = column("Whether the optimum was reached.")
    caution: str | None = column("What is improper, or why there is no fit.", default=None)


class CfaIndex(SQLModel, table=True):
    __tablename__ = "cfa_indices"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per fit and definition of an index."}
    comparison: str = key("paper or fair.")
    split: int = key("Number of the split.")
    system: str = key("The value system.")
    structure: str = key("correlated, higher_order or bifactor.")
    definition: str = key("The definition, see fit_definitions.")
    number: float | None = column("The index.", default=None)


class CfaNull(SQLModel, table=True):
    __tablename__ = "cfa_nulls"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per split and random grouping of our values.",
    }
    split: int = key("Number of the split.")
    draw: int = key("Number of the grouping.")
    cfi: float | None = column("CFI (standard).", default=None)
    rmsea: float | None = column("RMSEA (standard).", default=None)
    srmr: float | None = column("SRMR.", default=None)
    aic: float | None = column("AIC (standard).", default=None)


class CfaLoading(SQLModel, table=True):
    __tablename__ = "cfa_loadings"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per system, factor and value of the paper's comparison.",
    }
    system: str = key("The value system.")
    factor: str = key("The factor.")
    value: str = key("The value.")
    estimate: float = column("Loading, the factor's first value being its unit.")
    standardised: float = column("Standardised loading.")
    se: float | None = column("Standard error; null where fixed or unidentified.", default=None)
    p: float | None = share("p of no loading.", default=None)


class CfaCorrelation(SQLModel, table=True):
    __tablename__ = "cfa_correlations"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per system and pair of factors of the same fits.",
    }
    system: str = key("The value system.")
    factor_a: str = key("A factor.")
    factor_b: str = key("A factor; each pair stands both ways.")
    # where a solution is improper it passes 1, and a caution says so
    r: float = column("Their correlation.")


class CfaPath(SQLModel, table=True):
    __tablename__ = "cfa_paths"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per system and omitted path; the twenty that matter most.",
    }
    system: str = key("The value system.")
    kind: str = key(
        "loading or residual (a correlation of what two values have left).",
        among=("loading", "residual"),
    )
    value: str = key("The value.")
    other: str = key("The factor, or the other value.")
    modification_index: float = column("Fall of chi2 to expect if it were freed.")
    expected_change: float = column(
        "Its value then, standardised: of residuals a correlation of residuals."
    )


BENCHMARK_TABLES: tuple[type[SQLModel], ...] = (
    FitDefinition,
    CfaFit,
    CfaIndex,
    CfaNull,
    CfaLoading,
    CfaCorrelation,
    CfaPath,
)

"""Value systems confirmed: ours beside Schwartz's (the paper's 5.1)."""

import pandas as pd

from gpla_assets.assets.factors import SCORES, SUBJECTS
from gpla_assets.assets.measurements import LEVELS
from gpla_assets.benchmarks.cfa_comparison import compare
from gpla_assets.benchmarks.fit_definitions import DEFINITIONS
from gpla_assets.benchmarks.systems import System, read_system, system_of_mapping
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step


@step(
    stage="9_benchmarks",
    tables=(
        "cfa_fits",
        "fit_definitions",
        "cfa_indices",
        "cfa_nulls",
        "cfa_loadings",
        "cfa_correlations",
        "cfa_paths",
    ),
    upstream=("subjects", "value_correlations", "factors", "schwartz_mapping"),
    settings=("structure", "cfa", "seed"),
    inputs=("systems",),
)
def cfa_fits(made: Making) -> None:
    """Fit of our system and of Schwartz's, as the paper compared them and on equal terms."""
    settings = made.study
    cells = made.read(SCORES)
    matrix = cells.pivot(index="subject_id", columns="value", values="score").sort_index()
    usable = made.read("select \"value\" from analysis.value_suitability where status = 'usable'")
    matrix = matrix[sorted(usable["value"])].dropna(how="all")
    llms = made.read(SUBJECTS).set_index("subject_id")["llm"]
    found = compare(
        matrix,
        list(llms[matrix.index]),
        [
            *schwartz_systems(
                made.read("select * from analysis.schwartz_mapping"), settings.cfa.floor
            ),
            *map(read_system, settings.systems),
        ],
        settings.structure,
        settings.cfa,
        settings.seed,
    )
    made.write("fit_definitions", definition_rows())
    made.write("cfa_fits", found.fits)
    made.write("cfa_indices", found.indices)
    made.write("cfa_nulls", found.nulls)
    made.write("cfa_loadings", found.loadings)
    made.write("cfa_correlations", found.correlations)
    made.write("cfa_paths", found.paths)


def schwartz_systems(mapping: pd.DataFrame, floor: float) -> list[System]:
    """Schwartz's ten and four over the lexicon's values by the mapping of their names."""
    return [
        system_of_mapping(name, mapping[mapping["level"] == level], floor)
        for level, name in LEVELS.items()
    ]


def definition_rows() -> pd.DataFrame:
    """The registry of fit indices as rows."""
    rows = [(one.id, one.set, one.index, one.formula, one.source) for one in DEFINITIONS]
    return pd.DataFrame(rows, columns=["definition", "set", "index", "formula", "source"])

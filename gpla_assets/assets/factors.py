"""Subject x value scores -> eigenvalues, loadings, reliabilities and factor scores."""

from dataclasses import fields

import dagster as dg

from gpla_assets.assets.shown import shown
from gpla_assets.psychometrics import StructureSettings, value_system
from gpla_assets.resources import StudyResource, making
from gpla_assets.studies import Study

GROUP = "stage_7_factors"


@dg.asset(
    group_name=GROUP,
    **shown("factors", "loadings"),
    deps=[dg.AssetKey("value_correlations"), dg.AssetKey("subject_values")],
)
def factors(study: StudyResource) -> dg.MaterializeResult:
    """The value system: scree, loadings, removals, reliabilities and scores of subjects."""
    with making(study, "factors") as made:
        settings = study.load()
        scores = study.read('select subject, "value", score from subject_values')
        matrix = scores.pivot(index="subject", columns="value", values="score").sort_index()
        system = value_system(matrix, structure_settings(settings))
        made.write("eigenvalues", system.eigenvalues)
        made.write("loadings", system.loadings)
        made.write("value_removals", system.removals)
        made.write("reliabilities", system.reliabilities)
        made.write("factor_scores", system.scores)
        made.details = {"cautions": list(system.cautions)}
    assert made.result is not None
    return made.result


def structure_settings(study: Study) -> StructureSettings:
    """The study's settings that the method takes; those of one allowed value are its rules."""
    names = {field.name for field in fields(StructureSettings)} - {"seed"}
    return StructureSettings(**study.structure.model_dump(include=names), seed=study.seed)

"""From a user's own answers to a study that was run: what `gpla measure` and `gpla.measure` do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gpla_assets.looking.study import PublishedStudy
from gpla_assets.orchestration.progress import showing
from gpla_assets.orchestration.running import Done, run_study
from gpla_assets.orchestration.versions import leading_to
from gpla_assets.sources.errors import SourceError
from gpla_assets.sources.opening import files_in
from gpla_assets.sources.recorded import Answers, AnswersError, read_answers
from gpla_assets.studies import Study, load_study
from gpla_assets.studies.own_study import OwnStudy, sources_of, study_name, write_study

if TYPE_CHECKING:
    import pandas as pd

RESULTS = ("value_correlations", "value_estimates")
"""The steps whose rows say what LLMs value; a user who asks for no more waits for no more."""


def mode_of(accurate: bool) -> str:
    """M_E's mode."""
    return "accurate" if accurate else "fast"


def own_study(
    answers: Sequence[Path],
    mode: str,
    values: str = "paper",
    name: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> tuple[Answers, OwnStudy]:
    """What files of answers hold, and the study that is made of them.

    Raises SourceError where they cannot be read, StudyError where the name is none or that of a
    study that ships.
    """
    given = dict(columns or {})
    files = _files(answers, given)
    read = read_answers(files, given)
    study = OwnStudy(
        name=study_name(name, answers),
        files=files,
        values=values,
        columns=given,
        mode=mode,
        description=f"{read.said.partition(', columns')[0]}.",
    )
    return read, study


def _files(answers: Sequence[Path], columns: Mapping[str, str]) -> list[Path]:
    """The places that a study reads: the files, or their folder where they belong together."""
    if len(answers) == 1:
        return list(answers)
    try:
        read = {path: read_answers(path, columns) for path in answers}
    except SourceError as error:
        # the requests of a batch hold no answer, and its results no question
        folder = answers[0].absolute().parent
        if {path.absolute() for path in answers} == set(files_in(folder)):
            return [folder]
        raise AnswersError(
            f"{error} Files that are read together, as a batch's requests and results, are "
            "expected in a folder of their own: name the folder."
        ) from error
    return sources_of({path: set(one.frame["llm"]) for path, one in read.items()})


def run_own_study(study: OwnStudy, folder: Path) -> tuple[Path, Study, Done]:
    """Write the study's file into `folder`, and make what says what its LLMs value.

    Raises StudyError where another study of this name lies there.
    """
    path = write_study(study, folder)
    settings = load_study(str(path))
    steps = [one.name for one in leading_to(RESULTS, settings)]
    with showing() as say:
        return path, settings, run_study(str(path), settings, say, steps)


def measure(
    answers: pd.DataFrame | Path | str | Sequence[Path | str],
    values: str = "paper",
    name: str | None = None,
    folder: Path | str = ".",
    columns: Mapping[str, str] | None = None,
    accurate: bool = False,
) -> PublishedStudy:
    """What LLMs value by their answers: `gpla measure` from Python.

    `answers`: a frame with a column each of llm, question and answer (or `columns` says which), or
    files. `values`: paper, schwartz, auto, or a CSV. The study's file, and a frame's rows as
    Parquet, are written into `folder`. Raises SourceError and StudyError as `own_study` does.
    """
    folder = Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(answers, str | Path):
        paths = [Path(answers)]
    elif isinstance(answers, Sequence):
        paths = [Path(path) for path in answers]
    else:
        path = folder / f"{study_name(name, [Path('answers')])}.parquet"
        answers.to_parquet(path, index=False)
        paths = [path]
    _, study = own_study(paths, mode_of(accurate), values, name, columns)
    _, settings, _ = run_own_study(study, folder)
    return PublishedStudy(settings.store)

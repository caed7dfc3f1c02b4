"""Studies that are made of a user's own answers: their names, and their file with its comments."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from gpla_assets.studies.lexicon import VALUE_LISTS
from gpla_assets.studies.loading import parse_study
from gpla_assets.studies.settings import KEY_VARIABLE
from gpla_assets.studies.study import SHIPPED, StudyError

AUTO = "auto"
"""Values drawn from the answers themselves, in the place of a list."""
LONGEST = 40
QUESTIONS = 60
"""Questions that LLMs are asked: about as many as reliability asks for (`gpla plan`)."""
MEASURED = 35
"""Values that are measured of a lexicon drawn from the answers: its most frequent."""


@dataclass(frozen=True)
class Asked:
    """LLMs of an endpoint that the project's questions are put to; the key is never written."""

    llms: Sequence[str]
    base_url: str | None = None
    key_variable: str = KEY_VARIABLE


@dataclass(frozen=True)
class OwnStudy:
    """What a study of answers in files, or of LLMs to ask, is made of.

    `values` is auto (drawn from the answers), a list that ships, or a CSV.
    """

    name: str
    files: Sequence[Path] = ()
    values: str = "paper"
    columns: Mapping[str, str] = field(default_factory=dict)
    mode: str = "fast"
    description: str = ""
    asked: Asked | None = None


def study_name(given: str | None, files: Sequence[Path]) -> str:
    """The name of a study: the user's, else what the first file is called.

    Raises StudyError where it is no name, or that of a study that ships.

    >>> study_name(None, [Path("logs/My answers.jsonl.gz")])
    'my_answers'
    """
    if given is None:
        stem = files[0].name.partition(".")[0] or files[0].resolve().name
        own = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:LONGEST] or "answers"
        name = own if own[0].isalpha() else f"answers_{own}"[:LONGEST]
        return f"my_{name}" if name in SHIPPED else name
    if given in SHIPPED:
        raise StudyError(
            f"--name {given}: a study of this name ships, and two studies of one name would share "
            f"a warehouse; expected another name than {', '.join(SHIPPED)}."
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", given):
        raise StudyError(
            f"--name {given!r}: expected a small letter, then at most 40 small letters, digits and "
            "underscores."
        )
    return given


def study_text(study: OwnStudy, folder: Path) -> str:
    """The study's file, to be written into `folder`; paths below it are written relative to it.

    Raises StudyError where the settings are none.
    """
    groups = [_who(study, folder), _what_was_asked(study), _what_is_measured(study, folder)]
    if study.mode != "fast":
        groups.append(("M_E: fast or accurate.", {"evaluator": {"mode": study.mode}}))
    groups.append(
        ("No table scores these LLMs: nothing is predicted.", {"probe": {"criteria": []}})
    )
    head = {"name": study.name, "description": study.description}
    text = (
        "# Made by `gpla measure` or `gpla init`. What is not named has its default, which\n"
        "# `gpla docs reference/settings` shows.\n"
        + _yaml(head)
        + "".join(f"# {note}\n{_yaml(group)}" for note, group in groups)
    )
    parse_study(text, study.name, folder)
    return text


Group = tuple[str, dict[str, object]]
"""Keys of a study with the comment above them."""


def _who(study: OwnStudy, folder: Path) -> Group:
    if study.asked is None:
        own = [
            {"backend": "recorded", **source, "profiles": ["all"]}
            for source in _sources(study, folder)
        ]
        return "Who is measured, by recorded answers and under each of their profiles.", {
            "subjects": own
        }
    asked = study.asked
    source: dict[str, object] = {"backend": "openai", "llms": list(asked.llms)}
    source |= {"base_url": asked.base_url} if asked.base_url else {}
    source |= {"key_variable": asked.key_variable} if asked.key_variable != KEY_VARIABLE else {}
    note = "Who is asked; profiles: [all] asks each under the 21 profiles that ship."
    return note, {"subjects": [source | {"profiles": ["Default"]}]}


def _what_was_asked(study: OwnStudy) -> Group:
    if study.asked is None:
        return "What they were asked: every prompt of the files.", {
            "questions": {"origin": "source"}
        }
    note = "How many of the project's questions; file: q.csv asks your own."
    return note, {"questions": {"count": QUESTIONS}}


def _what_is_measured(study: OwnStudy, folder: Path) -> Group:
    if study.values == AUTO:
        note = f"Values are drawn from the answers; the {MEASURED} most frequent are measured."
        return note, {"corpus": _sources(study, folder), "lexicon": {"size": MEASURED}}
    lists = study.values in VALUE_LISTS
    values = study.values if lists else _beside(Path(study.values), folder)
    note = "What is measured: paper (Table 10), schwartz (his ten), or a CSV value,definition."
    return note, {"lexicon": {"values": values}}


def _sources(study: OwnStudy, folder: Path) -> list[dict[str, object]]:
    columns: dict[str, object] = {"columns": dict(study.columns)} if study.columns else {}
    return [{"source": "table", "file": _beside(path, folder), **columns} for path in study.files]


def sources_of(llms: Mapping[Path, Collection[str]]) -> list[Path]:
    """The files, or their folder where an LLM's answers lie in several of them.

    `llms`: those that each file has answers of. A study reads an LLM's answers from one place, a
    file or a folder. Raises StudyError where the folder holds further files.

    >>> sources_of({Path("a.csv"): {"x"}, Path("b.csv"): {"y"}})
    [PosixPath('a.csv'), PosixPath('b.csv')]
    """
    where: dict[str, Path] = {}
    for path, own in llms.items():
        for llm in own:
            if where.setdefault(llm, path) != path:
                return [_folder_of(llm, where[llm], path, llms)]
    return list(llms)


def _folder_of(llm: str, first: Path, second: Path, given: Collection[Path]) -> Path:
    folders = {path.absolute().parent for path in given}
    folder = next(iter(folders))
    if len(folders) == 1 and {one.name for one in folder.iterdir()} == {one.name for one in given}:
        return folder
    raise StudyError(
        f"{llm!r} answers in {first} and in {second}: expected an LLM's answers in one place. Put "
        "the files into a folder of their own, and name the folder."
    )


def write_study(study: OwnStudy, folder: Path) -> Path:
    """Writes the study's file into `folder`; one that says the same stays as it is.

    Raises StudyError where another study of this name lies there.
    """
    path = folder / f"{study.name}.yaml"
    text = study_text(study, folder)
    if path.exists() and path.read_text("utf-8", errors="replace") != text:
        raise StudyError(
            f"{path} is another study: --name gives this one its own name, "
            f"`gpla run {path.name}` goes on with that one, and without the file it is made anew."
        )
    path.write_text(text, encoding="utf-8")
    return path


def _beside(path: Path, folder: Path) -> str:
    full = path.expanduser().absolute()
    return str(full.relative_to(folder)) if full.is_relative_to(folder) else str(full)


def _yaml(group: Mapping[str, object]) -> str:
    return yaml.safe_dump(dict(group), sort_keys=False, allow_unicode=True, width=100)

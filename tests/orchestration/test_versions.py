"""What counts as fresh: which rows are stale after which change, and why; Dagster's asset graph."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gpla_assets.orchestration import code, hashes, steps, used, versions
from gpla_assets.orchestration.checks import CHECKS
from gpla_assets.orchestration.code import ROOT, Source, makes_no_rows, module_names
from gpla_assets.orchestration.dbt import prepared_manifest
from gpla_assets.orchestration.inputs import answers_by_llm, corpus
from gpla_assets.orchestration.making import RECORDS
from gpla_assets.orchestration.plan import job_steps, ranges
from gpla_assets.orchestration.steps import all_steps, downstream, step_named
from gpla_assets.orchestration.versions import (
    OLDER,
    Expected,
    Key,
    Stored,
    Versions,
    asked_steps,
    difference,
    partition_keys,
    stale_steps,
    stored_of,
)
from gpla_assets.storage import RunRecord
from gpla_assets.storage.writing import record_runs, schema_statements
from gpla_assets.studies import Study, fingerprint, load_study, parse_study

SUBJECTS = ["a|Default", "b|Default"]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path / "warehouse"))


def expected(study: Study, subjects: list[str] = SUBJECTS) -> dict[Key, Expected]:
    return Versions(study).expected(subjects)


def recorded(study: Study, subjects: list[str] = SUBJECTS) -> dict[Key, Stored]:
    """The records of a run that made every step in turn, as a warehouse gives them back.

    What a making notes (`used`, from the records before it) is written and read as in a run, so
    that what is expected is compared with something that it did not make itself.
    """
    versions, found, runs = Versions(study), {}, []
    for step in asked_steps(study):
        for key in partition_keys(step, study, subjects):
            made = versions.used(step, key, subjects, found)
            found[step.name, key] = Stored(made.fingerprint, made.shared, made.components)
            runs.append(RunRecord(step.name, made.fingerprint, made.components, made.shared, key))
    with duckdb.connect() as connection:
        for statement in schema_statements(["runs"]):
            connection.execute(statement)
        record_runs(connection, runs)
        return stored_of(connection.execute(RECORDS).fetchall())


@lru_cache(maxsize=1)
def demo_records() -> dict[Key, Stored]:
    """Those of the demo as it ships."""
    return recorded(load_study("demo"))


def changed(group: str, **values: object) -> Study:
    study = load_study("demo")
    return study.model_copy(update={group: getattr(study, group).model_copy(update=values)})


def stale_after(study: Study, subjects: list[str] = SUBJECTS) -> set[Key]:
    found = stale_steps(expected(study, subjects), demo_records())
    return {(one.step, one.partition_key) for one in found}


def test_nothing_is_stale_when_nothing_changed() -> None:
    assert len(demo_records()) == len(expected(load_study("demo")))
    assert stale_after(load_study("demo")) == set()


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    """Half of what a step rests on comes from sets and dicts, whose order must not tell."""
    program = (
        "from gpla_assets.orchestration.versions import Versions\n"
        "from gpla_assets.studies import load_study\n"
        f"found = Versions(load_study('demo')).expected({SUBJECTS})\n"
        "print({key: one.fingerprint for key, one in found.items()})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    here = {key: one.fingerprint for key, one in expected(load_study("demo")).items()}
    assert done.stdout.strip() == str(here)


def test_a_hash_of_plain_data_is_known() -> None:
    # sha256 of {"a": 1, "b": [2]}, whatever the order of the names
    assert fingerprint({"b": [2], "a": 1}) == "ae8a9a5052464275"


@pytest.mark.parametrize(
    ("study", "first", "untouched"),
    [
        (
            changed("structure", minimum_gap=0.2),
            {"factors"},
            {"measurements", "value_correlations"},
        ),
        (changed("lexicon", cosine_threshold=0.6), {"lexicon"}, {"perceptions", "evaluator"}),
        (changed("lexicon", size=38), {"measurements", "coverage"}, {"lexicon", "perceptions"}),
        (changed("evaluator", minimum_relevance=0.6), {"measurements"}, {"lexicon", "evaluator"}),
        (
            changed("parser", minimum_attitude=0.7),
            {"perceptions"},
            {"texts", "values", "questions"},
        ),
        (changed("structure", rotation="oblimin"), {"factors"}, {"measurements", "lexicon"}),
    ],
)
def test_a_changed_setting_reaches_only_what_depends_on_it(
    study: Study, first: set[str], untouched: set[str]
) -> None:
    found = {step for step, _ in stale_after(study)}
    assert first <= found
    assert "factors" in found
    assert not untouched & found


@pytest.mark.parametrize(
    "study",
    [
        changed("parser", device="cuda"),
        changed("evaluator", batch_size=64),
        changed("generator", key_variable="OTHER_KEY"),
        changed("parser", chunk_tokens=400),  # of an LLM that parses
        changed("parser", temperature=0.5),
        changed("generator", beams=5),  # of Kaleido
        changed("evaluator", gate=0.2),  # of an LLM that judges
        changed("calls", concurrency=2),
    ],
)
def test_a_setting_that_changes_no_result_makes_nothing_stale(study: Study) -> None:
    assert stale_after(study) == set()


def test_a_new_subject_makes_its_own_partitions_and_the_aggregates_stale() -> None:
    found = stale_after(load_study("demo"), [*SUBJECTS, "c|Default"])
    partitioned = {one.name for one in all_steps() if one.partitions == "subjects"}
    assert {pair for pair in found if pair[1]} == {(name, "c|Default") for name in partitioned}
    aggregates = downstream(partitioned) & {one.name for one in asked_steps(load_study("demo"))}
    assert {step for step, key in found if not key} == aggregates - partitioned


def test_a_stale_step_says_why_by_the_name_of_the_setting() -> None:
    now = expected(changed("structure", minimum_gap=0.2))
    first, second, *_ = stale_steps(now, demo_records())
    assert (first.step, first.reason) == ("factors", "settings changed: structure.minimum_gap")
    assert second.reason == "settings changed: structure.minimum_gap; upstream changed: factors"


def test_a_record_of_an_older_version_is_never_fresh() -> None:
    older = {"code": "4", "settings": {"lexicon": {"size": 40}}, "files": {}, "upstream": {}}
    assert difference(older, expected(load_study("demo"))["lexicon", ""].components) == OLDER


def test_rows_that_were_made_of_old_rows_stay_stale() -> None:
    """A step made by itself, while what it reads is stale: its record holds what was read."""
    study = changed("evaluator", minimum_relevance=0.6)
    before = demo_records()
    made = Versions(study).used(step_named("factors"), "", SUBJECTS, before)
    before = before | {("factors", ""): Stored(made.fingerprint, made.shared, made.components)}
    stale = {one.step: one.reason for one in stale_steps(expected(study), before)}
    assert stale["factors"] == "upstream changed: measurements, value_correlations"


def test_alignment_waits_for_targets_only_where_these_are_its_own() -> None:
    for whose, waits in (("published", False), ("distilled", True)):
        study = changed("alignment", policy="m", seeds=[3], systems=["published"], target=whose)
        study = study.model_copy(
            update={"targets": study.targets.model_copy(update={"source": "pairs"})}
        )
        found = expected(study)["policies", "published|m|3"].components["upstream"]
        assert ("targets" in found) is waits


def test_a_further_seed_or_judge_makes_no_run_of_alignment_anew() -> None:
    def runs(**values: Any) -> dict[Key, str]:
        study = changed("alignment", policy="m", systems=["published"], **values)
        return {
            key: one.fingerprint for key, one in expected(study).items() if key[0] == "policies"
        }

    two, three = runs(seeds=[0, 1]), runs(seeds=[0, 1, 2], judges=[])
    assert two.items() <= three.items()
    assert len(three) == 3


def test_steps_that_a_study_asks_nothing_of_are_not_its_steps() -> None:
    names = {one.name for one in asked_steps(load_study("demo"))}
    assert not names & {"preferences", "targets", "policies", "validation_texts", "probes"}
    assert {one.name for one in asked_steps(load_study("survey"))} >= {
        "targets",
        "validation_texts",
    }


TWO_TABLES = """
name: two
corpus:
  - {{source: table, file: {first}}}
  - {{source: table, file: {second}}}
subjects:
  - {{backend: recorded, source: table, file: {second}}}
"""


@pytest.fixture
def two_tables(tmp_path: Path) -> tuple[Study, Path, Path]:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    for path, names in ((first, "ab"), (second, "cd")):
        path.write_text(
            "\n".join(
                f'{{"llm": "{name}", "question_text": "Why?", "content": "Because {name}."}}'
                for name in names
            ),
            "utf-8",
        )
    return parse_study(TWO_TABLES.format(first=first, second=second), "two"), first, second


@pytest.mark.parametrize("which", [0, 1])
def test_each_of_two_sources_of_one_kind_is_watched(
    two_tables: tuple[Study, Path, Path], which: int
) -> None:
    study, *paths = two_tables
    before = corpus(study)
    paths[which].write_text(paths[which].read_text("utf-8") + "\n", "utf-8")
    after = corpus(study)
    assert [before[name] != after[name] for name in before] == [which == 0, which == 1]


def test_an_llm_that_is_added_to_a_file_leaves_the_others_answers_fresh(
    two_tables: tuple[Study, Path, Path],
) -> None:
    study, _, second = two_tables
    before = answers_by_llm(study.subjects[0])
    line = '{"llm": "e", "question_text": "Why?", "content": "For no reason."}'
    second.write_text(second.read_text("utf-8") + "\n" + line, "utf-8")
    after = answers_by_llm(study.subjects[0])
    assert set(after) - set(before) == {"e"}
    assert before.items() <= after.items()
    changed_line = second.read_text("utf-8").replace("Because c.", "No.")
    second.write_text(changed_line, "utf-8")
    now = answers_by_llm(study.subjects[0])
    assert {llm for llm in now if now[llm] != after[llm]} == {"c"}


Edit = tuple[str, Callable[[bytes], bytes]]
"""A file of the package, and what is done to its content."""


@pytest.fixture(scope="module")
def edited(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Iterable[Edit]], set[str]]]:
    """Steps of the demo that are stale after files of the package were edited, in a copy of it."""
    folder = tmp_path_factory.mktemp("edited")
    package = folder / "gpla_assets"
    shutil.copytree(code.ROOT, package, ignore=shutil.ignore_patterns("__pycache__"))

    def fresh() -> None:
        for cached in (code._package_files, steps.all_steps, used.code_of, used._source):
            cached.cache_clear()
        used._source_state.cache_clear()
        hashes._Memory.entries = None

    with pytest.MonkeyPatch.context() as patched:
        for module in (code, steps, used, versions):
            patched.setattr(module, "ROOT", package)
        fresh()
        before = recorded(load_study("demo"))

        def after(edits: Iterable[Edit]) -> set[str]:
            contents: dict[Path, bytes] = {}
            for name, edit in edits:
                path = package / name
                content = path.read_bytes()
                contents.setdefault(path, content)
                assert edit(content) != content, name
                path.write_bytes(edit(content))
            fresh()
            found = {one.step for one in stale_steps(expected(load_study("demo")), before)}
            for path, content in contents.items():
                path.write_bytes(content)
            fresh()
            return found

        yield after
    fresh()


def put(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("name", "edit", "stale", "fresh"),
    [
        # other bytes in M_P's weights, another rule of splitting, of framing, another rotation
        (
            "parser/attitude_weights.safetensors",
            lambda b: b + b"\0",
            {"perceptions"},
            {"texts", "values"},
        ),
        (
            "parser/sentences.py",
            put("def _line_sentences(line: str)", "def _line_sentences(line: str, more: int = 1)"),
            {"perceptions", "subject_perceptions", "lexicon"},
            {"texts", "values"},
        ),
        (
            "parser/embedded.py",
            put("if attitude < self.minimum_attitude", "if attitude <= self.minimum_attitude"),
            {"perceptions", "subject_perceptions", "lexicon", "factors"},
            {"texts", "questions", "responses", "values"},
        ),
        (
            "evaluator/framing.py",
            put("def unframed(text: str)", "def unframed(text: str, more: int = 1)"),
            {"measurements", "perception_values"},
            {"perceptions", "texts"},
        ),
        (
            "evaluator/heads.py",
            put("shifted.sum(axis=-1", "(1e-9 + shifted).sum(axis=-1"),
            {"measurements"},
            {"perceptions", "texts", "responses"},
        ),
        (
            "psychometrics/rotation.py",
            put("def varimax", "def varimax_of"),
            {"factors", "stability", "factor_names"},
            {"measurements", "value_correlations", "lexicon"},
        ),
        ("evaluator/held_out.csv", lambda b: b + b"\n", {"evaluator"}, {"measurements", "lexicon"}),
        ("content/vocabulary.csv", lambda b: b + b"\n", {"values", "lexicon"}, {"perceptions"}),
        # backends that the demo does not run
        (
            "generator/kaleido.py",
            put("class KaleidoGenerator", "X = 1\n\n\nclass KaleidoGenerator"),
            set(),
            {"perception_values"},
        ),
        ("parser/prompted.py", lambda b: b + b"\nX = 1\n", set(), {"perceptions"}),
        (
            "evaluator/cross_adapter/adapter_model.safetensors",
            lambda b: b + b"\0",
            set(),
            {"measurements"},
        ),
        # what changes no row
        (
            "parser/sentences.py",
            put('"""Sentences', '"""Reworded. Sentences'),
            set(),
            {"perceptions"},
        ),
        ("parser/sentences.py", put("\ndef ", "\n# a comment\ndef "), set(), {"perceptions"}),
        ("cli/commands.py", lambda b: b + b"\nX = 1\n", set(), {"factors"}),
        ("report/page.py", lambda b: b + b"\nX = 1\n", set(), {"factors"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_change_of_the_package_makes_stale(
    edited: Callable[[Iterable[Edit]], set[str]],
    name: str,
    edit: Callable[[bytes], bytes],
    stale: set[str],
    fresh: set[str],
) -> None:
    found = edited([(name, edit)])
    assert stale <= found
    assert not fresh & found


def test_what_changes_no_row_makes_nothing_stale(
    edited: Callable[[Iterable[Edit]], set[str]],
) -> None:
    edits: list[Edit] = [
        # backends that the demo does not run
        (
            "generator/kaleido.py",
            put("class KaleidoGenerator", "X = 1\n\n\nclass KaleidoGenerator"),
        ),
        ("parser/prompted.py", lambda b: b + b"\nX = 1\n"),
        ("evaluator/cross_adapter/adapter_model.safetensors", lambda b: b + b"\0"),
        # words for readers, and rooms that make no rows
        ("parser/sentences.py", put('"""Sentences', '"""Reworded. Sentences')),
        ("parser/sentences.py", put("\ndef ", "\n# a comment\ndef ")),
        # hints, and what is imported for them alone: a library, whose version would count elsewhere
        ("parser/sentences.py", put("line: str", "line: object")),
        ("parser/sentences.py", lambda b: b + b"\nif TYPE_CHECKING:\n    import torch\n"),
        ("cli/commands.py", lambda b: b + b"\nX = 1\n"),
        ("report/page.py", lambda b: b + b"\nX = 1\n"),
    ]
    assert edited(edits) == set()
    # and one edit more that does change rows is found among them
    assert "perceptions" in edited(
        [*edits, ("parser/attitude_weights.safetensors", lambda b: b + b"\0")]
    )


def test_other_weights_of_the_sentence_encoder_make_what_embeds_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = demo_records()
    (tmp_path / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setattr(used, "packaged_model", lambda: tmp_path)
    stale = {one.step for one in stale_steps(expected(load_study("demo")), before)}
    assert {"perceptions", "perception_values", "measurements", "value_similarities"} <= stale
    assert not {"texts", "questions", "subjects", "responses", "values"} & stale


APART = {
    "measures validity where the answer is known, by a command": (
        "validation.held_out_findings",
        "validation.judged_direction",
        "validation.judged_relevance",
        "validation.planted",
        "validation.planted_check",
        "validation.planted_texts",
    ),
    "a command on a user's own file, not a step": (
        *("validation.direct", "subjects.question_generator", "evaluator.reliance"),
        *(
            "alignment.own_pairs",
            "benchmarks.own_matrix",
            "benchmarks.semopy_fit",
            "lexicon.own_values",
            "psychometrics.own_matrix",
        ),
        *("psychometrics.simulation", "sources.download"),
        *("benchmarks.invariance", "benchmarks.lavaan_syntax", "benchmarks.r_script"),
        *("benchmarks.validity_measures", "common.json_data", "psychometrics.item_stability"),
        *("psychometrics.r_script", "psychometrics.structure_json", "benchmarks.grouped"),
        *("subjects.pilot", "subjects.administration", "subjects.inspect_task", "chat.batch"),
    ),
    "looks at studies that ran": ("validation.levels", "validation.two_studies"),
    "reads a user's own file": (
        *("common.tables.door", "common.tables.header", "common.tables.numbers"),
        *("common.tables.programs", "common.tables.table", "common.tables.text"),
        *("common.tables.workbook", "psychometrics.cells", "psychometrics.far_cells"),
        *("psychometrics.given_correlations", "psychometrics.reading", "psychometrics.roles"),
        "psychometrics.suspects",
    ),
    "says what is asked of agents": (
        *("embedding.pretrained", "evaluator.protocol"),
        *("generator.protocol", "subjects.protocol"),
    ),
    "a second opinion that one asks for": ("benchmarks.semopy_fit",),
    "says what is used of transformers' objects": ("embedding.pretrained",),
    "looks at what could run": ("agents.availability",),
    "errors alone": ("psychometrics.errors", "sources.errors"),
}
"""Modules that no step runs, each with the reason. Rooms that make no rows: MAKES_NO_ROWS."""


@pytest.fixture(scope="module")
def reached() -> dict[str, set[str]]:
    """By module, the steps that go stale when it changes, whichever backends run."""
    source, found = Source(), {name: set() for name in module_names()}
    for one in all_steps():
        for module in source.reached((one.module, one.name), {}).code:
            found[module].add(one.name)
    return found


def test_every_module_is_in_a_fingerprint_or_named_as_one_that_makes_no_rows(
    reached: dict[str, set[str]],
) -> None:
    apart = {f"gpla_assets.{name}" for names in APART.values() for name in names}
    nobodys = set()
    for module, found in reached.items():
        path = code.module_path(module)
        passes_on = path is not None and path.name == "__init__.py"  # names of other modules
        if not found and not makes_no_rows(module) and not passes_on:
            nobodys.add(module)
    assert nobodys == apart


MEASURED = {"measurements", "validation_measurements"}
MEASURED |= {"preference_measurements", "policies"}
PARSED = {"perceptions", "subject_perceptions", "validation_perceptions", "validity"}
PARSED |= {"preference_perceptions", "questions", "preferences", "validation_texts", "policies"}


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        ("parser.sentences", PARSED),
        ("evaluator.framing", MEASURED | {"perception_values"}),
        ("generator.kaleido", {"perception_values"}),
        ("lexicon.similarity", {"value_similarities", "direct_lexicon"}),
        ("psychometrics.rotation", {"factors", "stability", "cfa_fits"}),
        ("psychometrics.naming", {"factor_names"}),
        ("benchmarks.fit_indices", {"cfa_fits"}),
        ("benchmarks.bradley_terry", {"probes"}),
        ("alignment.ppo", {"policies"}),
        ("sources.criteria", {"criteria", "validation_texts"}),
    ],
)
def test_the_steps_that_go_stale_when_a_module_changes(
    reached: dict[str, set[str]], module: str, stale: set[str]
) -> None:
    assert reached[f"gpla_assets.{module}"] == stale


def test_jobs_hold_what_their_names_say() -> None:
    every = {one.name for one in all_steps()}
    assert job_steps("all") | job_steps("align") == every
    assert job_steps("align") == {"policies", "judgements", "alignment_results"}
    assert "value_correlations" in job_steps("aggregates") < job_steps("add_llm") < every
    assert not {"measurements", "lexicon", "texts", "policies"} & job_steps("aggregates")
    assert {"subjects", "responses", "measurements"} <= job_steps("add_llm")


def test_a_run_makes_ranges_without_gaps() -> None:
    assert ranges(["a", "d", "b"], ["a", "b", "c", "d"]) == [("a", "b"), ("d",)]
    assert ranges(["new"], ["a"]) == [("new",)]
    assert ranges([], ["a"]) == []


@pytest.mark.slow
def test_dagster_shows_one_connected_described_graph() -> None:
    import dagster as dg

    from gpla_assets.orchestration.asset_keys import asset_keys
    from gpla_assets.orchestration.dagster_assets import definitions
    from gpla_assets.orchestration.shown import group_of

    graph = definitions("demo").resolve_asset_graph()
    keys = set(graph.get_all_asset_keys())
    for one in asked_steps(load_study("demo")):
        for key in asset_keys(one.name):
            node = graph.get(key)
            assert node.description, key
            assert node.group_name in {group_of(one.stage), "paper"}
            assert node.code_version
    reached, waiting = set(), [dg.AssetKey("factors")]
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            waiting += graph.get(key).parent_keys
    names = {key.to_user_string() for key in reached}
    assert {"texts", "answers", "responses", "lexicon", "measurements"} <= names
    assert reached <= keys
    ours = {
        (one.name, check.name)
        for one in asked_steps(load_study("demo"))
        for check in CHECKS.get(one.name, ())
    }
    nodes = json.loads(prepared_manifest().read_text("utf-8"))["nodes"].values()
    # a test that is SQL of its own belongs to no one model
    of_dbt = {
        (node["attached_node"].split(".")[-1], node["name"])
        for node in nodes
        if node["resource_type"] == "test" and node.get("attached_node")
    }
    shown = {(key.asset_key.path[-1], key.name) for key in graph.asset_check_keys}
    assert ours | of_dbt <= shown
    assert {name for _, name in shown - ours - of_dbt} <= {"dropped_values_have_a_kept_winner"}


def test_dagsters_dependencies_are_the_declared_ones() -> None:
    """Also those of dbt's models, which dbt takes from the SQL."""
    from gpla_assets.orchestration.dbt import model_parents

    every = {one.name: one for one in all_steps()}
    by_asset = {one.table if one.models else name: name for name, one in every.items()}
    for one in all_steps():
        if one.models:
            models = model_parents(one.models)
            read = {parent for parents in models.values() for parent in parents} - set(models)
            assert {by_asset[name] for name in read} == set(one.reads), one.name

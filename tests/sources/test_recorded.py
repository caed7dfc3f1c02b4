"""The one door for files of answers: every format, its columns, samples and skips."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from gpla_assets.sources import AnswersError, SourceDamaged, SourceError, read_answers
from gpla_assets.sources.columns import ColumnsError, as_mapping
from gpla_assets.sources.opening import decoded

DATA = Path(__file__).parents[1] / "data" / "answers"
CASES = Path(os.environ.get("GPLA_CASES_DIR", Path(__file__).parents[3] / "shared" / "cases"))
ROWS = [
    {"model": "m", "prompt": "Why?", "response": "Because."},
    {"model": "n", "prompt": "Why?", "response": "So."},
]


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def triples(path: Path, **more: object) -> list[tuple[object, ...]]:
    frame = read_answers(path, **more).frame  # type: ignore[arg-type]
    return list(frame[["llm", "question", "answer"]].itertuples(index=False, name=None))


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "a.jsonl": lambda f, p: f.to_json(p, orient="records", lines=True),
    "a.json": lambda f, p: f.to_json(p, orient="records"),
    "a.csv": lambda f, p: f.to_csv(p, index=False),
    "semicolon.csv": lambda f, p: f.to_csv(p, index=False, sep=";"),
    "sep.csv": lambda f, p: p.write_text("sep=;\n" + f.to_csv(index=False, sep=";")),
    "tabs.csv": lambda f, p: f.to_csv(p, index=False, sep="\t"),
    "a.tsv": lambda f, p: f.to_csv(p, index=False, sep="\t"),
    "bom.csv": lambda f, p: f.to_csv(p, index=False, encoding="utf-8-sig"),
    "utf16.csv": lambda f, p: f.to_csv(p, index=False, encoding="utf-16"),
    "a.xlsx": lambda f, p: f.to_excel(p, index=False),
    "a.parquet": lambda f, p: f.to_parquet(p),
    "a.jsonl.gz": lambda f, p: p.write_bytes(
        gzip.compress(f.to_json(orient="records", lines=True).encode())
    ),
    "a.csv.zst": lambda f, p: p.write_bytes(
        pa.compress(f.to_csv(index=False).encode(), "zstd", asbytes=True)
    ),
    "lines.json": lambda f, p: f.to_json(p, orient="records", lines=True),
    "array.jsonl": lambda f, p: f.to_json(p, orient="records", indent=1),
    "wrapped.json": lambda f, p: p.write_text(
        json.dumps({"version": 1, "data": json.loads(f.to_json(orient="records"))})
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_table_is_read_in_every_form(name: str, tmp_path: Path) -> None:
    WRITERS[name](pd.DataFrame(ROWS), tmp_path / name)
    assert triples(tmp_path / name) == [("m", "Why?", "Because."), ("n", "Why?", "So.")]


def test_the_real_log_of_inspect_is_read_in_both_forms() -> None:
    for name in ("inspect_log.json.gz", "inspect_log.eval"):
        found = read_answers(DATA / name)
        rows = found.frame.sort_values(["question_id", "sample"])
        assert found.said.startswith("Inspect log: 1 LLM, 3 questions, 2 samples each at most")
        assert list(rows["question_id"].unique()) == ["honesty-1", "honesty-2", "honesty-3"]
        assert rows[["answer", "reasoning", "refused", "finish"]].to_numpy().tolist() == [
            ["Honesty matters more to me than comfort.", "", False, "stop"],
            ["I'm sorry, but I can't help with that.", "", True, "stop"],
            ["I would rather hurt a friend than lie to them.", "Lying is easy.", False, "stop"],
            ["", "", True, "content_filter"],
            ["I listen, because nobody owns the truth.", "They may be right.", False, "stop"],
            ["", "I could go on and on", False, "length"],
        ]


def test_the_samples_of_lm_eval_are_read_with_their_results() -> None:
    found = read_answers(DATA / "lm_eval")
    assert set(found.frame["llm"]) == {"org/small-model"}
    # two filters of two documents with two repeats: four answers; the other task has no texts
    assert found.frame["sample"].tolist() == [1, 2, 1, 2]
    assert found.frame["question"][0] == "What role does honesty play in your decisions?"
    assert found.skipped == {"multiple choice": 2}


def test_a_batch_is_read_with_its_requests() -> None:
    paths = [DATA / f"batch_{one}.jsonl" for one in ("requests", "output", "errors")]
    found = read_answers(paths)
    rows = found.frame.sort_values("question_id")
    assert rows[["llm", "question", "reasoning", "refused"]].to_numpy().tolist() == [
        ["gpt-4o-mini", "What role does honesty play in your decisions?",
         "They ask of honesty.", False],
        ["gpt-4o-mini", "Is it right to lie to a friend?", "", True],
    ]  # fmt: skip
    assert found.skipped == {"error": 1}


def test_an_anthropic_batch_helm_promptfoo_and_transcripts_are_read(tmp_path: Path) -> None:
    message = {"model": "claude", "stop_reason": "end_turn", "content": [
        {"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "So."}]}  # fmt: skip
    lines(tmp_path / "in.jsonl", [
        {"custom_id": "a", "params": {"model": "claude", "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Why?"}]}]}}])  # fmt: skip
    lines(tmp_path / "out.jsonl", [
        {"custom_id": "a", "result": {"type": "succeeded", "message": message}},
        {"custom_id": "b", "result": {"type": "expired"}}])  # fmt: skip
    found = read_answers(tmp_path)
    assert triples(tmp_path) == [("claude", "Why?", "So.")]
    assert found.skipped == {"error": 1} and found.frame["reasoning"][0] == "Hm."

    def state(**more: object) -> dict[str, object]:
        own = {"instance": {"input": {"text": "Why?"}, "id": "i"}, "request": {"model": "h"},
               "result": {"success": True, "completions": [{"text": "So."}]}}  # fmt: skip
        return own | more

    states = [
        state(),
        state(reference_index=0),
        state(result={"success": False, "completions": []}),
        state(instance={"input": {"text": "why?"}, "perturbation": {"name": "lower"}}),
    ]
    helm = tmp_path / "helm" / "scenario_state.json"
    helm.parent.mkdir()
    helm.write_text(json.dumps({"adapter_spec": {"model": "h/x"}, "request_states": states}))
    assert triples(helm) == [("h/x", "Why?", "So.")]
    assert read_answers(helm).skipped == {"multiple choice": 1, "error": 1, "perturbed": 1}

    foo = tmp_path / "foo.json"
    result = {"prompt": {"raw": "Why?"}, "provider": {"id": "p"}, "response": {"output": "So."}}
    foo.write_text(json.dumps({"results": {"results": [result]}}))
    assert triples(foo) == [("p", "Why?", "So.")]

    talk = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]
    row = {"transcript_id": "t", "model": "s", "messages": json.dumps(talk), "task_repeat": 2}
    pd.DataFrame([row]).to_parquet(tmp_path / "scout.parquet")
    assert triples(tmp_path / "scout.parquet") == [("s", "Why?", "So.")]


def test_inspect_skips_errors_and_choices_and_resolves_attachments(tmp_path: Path) -> None:
    def sample(**more: object) -> dict[str, object]:
        output = {"choices": [{"message": {"content": "attachment://x"}, "stop_reason": "stop"}]}
        return {"id": 1, "epoch": 1, "input": "Why?", "output": output} | more

    samples = [
        sample(attachments={"x": "So."}),
        sample(error={"message": "late"}),
        sample(invalidation={"reason": "odd"}),
        sample(choices=["A", "B"]),
        sample(output={"choices": []}),
    ]
    log = {"eval": {"model": "none/none", "model_roles": {"target": {"model": "t/m"}}}}
    (tmp_path / "log.json").write_text(json.dumps(log | {"status": "success", "samples": samples}))
    assert triples(tmp_path / "log.json") == [("t/m", "Why?", "So.")]
    assert read_answers(tmp_path / "log.json").skipped == {
        "error": 1, "invalidated": 1, "multiple choice": 1, "no choice": 1,
    }  # fmt: skip


def test_columns_that_could_be_the_same_are_asked_for(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [{"question": "Why?", "answer": "42", "response": "So."}])
    with pytest.raises(ColumnsError, match=r"'answer' and 'response' could each be the answer.*"
                       r"--columns answer=answer"):  # fmt: skip
        read_answers(file)
    assert triples(file, columns={"answer": "response"}) == [("a", "Why?", "So.")]
    # the same in both, or nothing in one, leaves no doubt
    same = lines(tmp_path / "b.jsonl", [{"prompt": "Why?", "input": "", "output": "So."}])
    assert triples(same) == [("b", "Why?", "So.")]


def test_columns_that_are_named_must_be_there(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [{"asked": "Why?", "said": "So."}])
    with pytest.raises(ColumnsError, match="no column 'sayd' \\(nearest: 'said'\\)"):
        read_answers(file, {"answer": "sayd"})
    with pytest.raises(ColumnsError, match="Columns name 'model'"):
        read_answers(file, {"model": "said"})
    with pytest.raises(ColumnsError, match="OURS=THEIRS"):
        as_mapping("answer")
    with pytest.raises(AnswersError, match="no column or field that could hold an answer"):
        read_answers(file)
    assert triples(file, columns={"answer": "said", "question": "asked"}) == [("a", "Why?", "So.")]


def test_samples_are_kept_and_what_stands_twice_is_not(tmp_path: Path) -> None:
    rows = [
        {"llm": "m", "question": "Why?", "answer": text, "epoch": epoch}
        for text, epoch in (("So.", 2), ("Because.", 1), ("So.", 3), ("So.", 3), ("Hm.", 1))
    ]
    found = read_answers(lines(tmp_path / "a.jsonl", rows))
    ordered = found.frame.sort_values("sample")
    assert ordered["answer"].tolist() == ["Because.", "Hm.", "So.", "So."]
    assert ordered["sample"].tolist() == [1, 2, 3, 4]
    assert found.skipped == {"duplicate": 1}
    plain = [{"llm": "m", "question": "Why?", "answer": text} for text in ("So.", "No.", "So.")]
    found = read_answers(lines(tmp_path / "b.jsonl", plain))
    assert found.frame["sample"].tolist() == [1, 2] and found.skipped == {"duplicate": 1}


def test_profiles_are_named_and_long_prompts_by_their_beginning(tmp_path: Path) -> None:
    prompt = "You are a careful librarian who loves order above all and hates noise in the hall."
    rows = [
        {"llm": "m", "question": "Why?", "answer": "So.", "system": prompt},
        {"llm": "m", "question": "Why?", "answer": "No.", "system": "Bold"},
        {"llm": "m", "question": "Why?", "answer": "Hm.", "system": None},
    ]
    frame = read_answers(lines(tmp_path / "a.jsonl", rows)).frame
    first, bold, default = frame["profile"]
    assert first.startswith("You are a careful librarian") and len(first) < 60
    assert (bold, default) == ("Bold", "Default")
    assert frame["system"][0] == prompt


def test_an_empty_or_foreign_file_is_an_error_with_its_cause(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [{"question": "Why?", "answer": None, "error": "429"}])
    with pytest.raises(AnswersError, match=r"table of 1 rows without one answer \(1 error\)"):
        read_answers(file)
    (tmp_path / "e.csv").write_text("frage,antwort\nWarum?,Darum.\n")
    with pytest.raises(
        AnswersError, match=r"could hold an answer \(found columns 'frage', 'antwort'"
    ):
        read_answers(tmp_path / "e.csv")
    (tmp_path / "f.csv").write_text("llm,question,answer\nm,Why?,Yes, so.\n")
    with pytest.raises(SourceDamaged, match="line 2: 4 cells, expected 3"):
        read_answers(tmp_path / "f.csv")
    (tmp_path / "g.csv").write_text("m,Why?,So.\n")
    with pytest.raises(SourceDamaged, match=r"holds one line, 'm', 'Why\?', 'So\.'"):
        read_answers(tmp_path / "g.csv")
    (tmp_path / "b.jsonl").write_text('{"question": "Why?"')
    with pytest.raises(SourceDamaged, match="line 1 is not JSON"):
        read_answers(tmp_path / "b.jsonl")
    with pytest.raises(SourceError, match="does not exist"):
        read_answers(tmp_path / "c.jsonl")
    (tmp_path / "d.jsonl").write_text("1\n2\n")
    with pytest.raises(SourceError, match="holds int '1' among its rows"):
        read_answers(tmp_path / "d.jsonl")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no file that could hold answers"):
        read_answers(tmp_path / "empty")


def test_a_folder_is_read_whole_and_what_holds_no_answers_is_said(tmp_path: Path) -> None:
    lines(tmp_path / "m.jsonl", [{"question": "Why?", "answer": "So."}])
    (tmp_path / "deeper").mkdir()
    lines(tmp_path / "deeper" / "n.jsonl", [{"question": "Why?", "answer": "No."}])
    (tmp_path / "run.json").write_text('{"seed": 1}')
    (tmp_path / "broken.json").write_text("{")
    found = read_answers(tmp_path)
    assert sorted(found.frame["llm"]) == ["m", "n"]
    assert "1 files hold no answers (run.json)" in found.counts
    assert "left out" in found.counts and "broken.json" in found.counts


def test_more_layouts_of_tables_are_read(tmp_path: Path) -> None:
    wanted = [("m", "Why?", "So.")]
    for name, text in (
        ("r.csv", '"model","prompt","response"\n"1","m","Why?","So."\n'),
        ("index.csv", ",model,prompt,response\n0,m,Why?,So.\n"),
        ("case.csv", "Model, Prompt ,RESPONSE\nm,Why?,So.\n"),
        ("lines.csv", 'model,prompt,response\nm,Why?,"So."\n\n\n'),
        ("by_id.json", '{"q1": {"model": "m", "prompt": "Why?", "response": "So."}}'),
        ("ollama.jsonl", '{"model": "m", "prompt": "Why?", "message": {"content": "So."}}\n'),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        assert triples(tmp_path / name) == wanted, name


def test_odd_encodings_are_read_and_said() -> None:
    assert decoded("Güte".encode()) == ("Güte", None)
    text, note = decoded(("Größe, Güte, Freiheit über alles. " * 20).encode("cp1252"))
    assert text.startswith("Größe, Güte") and note is not None and note.startswith("read as")
    text, note = decoded("Güte und Größe über alles ".encode() * 20 + b"\xff")
    assert text.endswith("\ufffd") and note == "1 bytes that are not UTF-8 read as U+FFFD"


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not on this machine")
@pytest.mark.parametrize(
    ("name", "answers", "skipped"),
    [
        ("03-think-blocks/think.jsonl", 3, {"duplicate": 4}),
        ("04-slash-model-name/ok.jsonl", 60, {}),
        ("04-slash-model-name/study/outputs.json", 60, {}),
        ("05-null-list-answers/content_blocks.jsonl", 60, {}),
        ("05-null-list-answers/first_null_key_absent.jsonl", 59, {"empty": 1}),
        ("05-null-list-answers/leading_blank.jsonl", 60, {}),
        ("05-null-list-answers/list_answers.jsonl", 60, {}),
        ("05-null-list-answers/lm_eval_resps.jsonl", 60, {}),
        ("05-null-list-answers/messages.jsonl", 60, {}),
        ("05-null-list-answers/mixed_blocks.jsonl", 60, {}),
        ("05-null-list-answers/nan.jsonl", 59, {"empty": 1}),
        ("05-null-list-answers/nulls.jsonl", 40, {"empty": 20}),
        ("05-null-list-answers/openai_choices.jsonl", 60, {}),
        ("05-null-list-answers/trailing_comma.jsonl", 60, {}),
        ("05-null-list-answers/trailing_newline.jsonl", 60, {}),
        ("06-lone-surrogate/answers.jsonl", 60, {}),
        ("13-same-llm-twice/v1.csv", 60, {}),
        ("13-same-llm-twice/v2.jsonl", 60, {}),
        ("14-alpaca-json/model_outputs.json", 60, {}),
        ("14-alpaca-json/model_outputs_oneline.json", 60, {}),
    ],
)
def test_the_cases_give_what_they_should(name: str, answers: int, skipped: dict[str, int]) -> None:
    found = read_answers(CASES / name)
    assert (len(found.frame), dict(found.skipped)) == (answers, skipped)
    said = found.frame[(found.frame["answer"] != "") & ~found.frame["refused"]]
    assert not said["answer"].str.contains("Okay, the user|love manipulating|<think").any()
    assert not found.frame["question"].str.contains("\n").any()

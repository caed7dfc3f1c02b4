"""The sources by name: reader, files, where to download, checksum and licence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gpla_assets.content import CONTENT
from gpla_assets.sources import answers, items, judged, preferences, readers
from gpla_assets.sources.errors import SourceError, SourceMissing
from gpla_assets.sources.reading import ReadResult
from gpla_assets.sources.recorded import Answers, of_rows, read_answers, read_texts

Reader = Callable[[Path, Mapping[str, str]], ReadResult]


@dataclass(frozen=True)
class Source:
    """A data set: `files` are tried in this order below the data folder."""

    name: str
    title: str
    kind: str
    files: tuple[str, ...]
    reader: Reader
    homepage: str
    licence: str
    url: str | None = None
    sha256: str | None = None


HUB = "https://huggingface.co/datasets"
GITHUB = "https://github.com"

_ALL = (
    Source(
        "valuebench",
        "ValueBench QA: answers of six LLMs to 1,988 questions made of questionnaire items",
        "corpus",
        ("valuebench/QA-dataset-answers-rating.xlsx",),
        readers.read_valuebench,
        f"{GITHUB}/Value4AI/ValueBench",
        "CC BY-SA 4.0 (see the repository)",
        f"{GITHUB}/Value4AI/ValueBench/raw/main/assets/QA-dataset-answers-rating.xlsx",
    ),
    Source(
        "valuebench_items",
        "ValueBench's questionnaire items with the value that each agrees or disagrees with",
        "items",
        ("valuebench/value_orientation.csv",),
        readers.read_valuebench_items,
        f"{GITHUB}/Value4AI/ValueBench",
        "CC BY-SA 4.0 (see the repository)",
        f"{GITHUB}/Value4AI/ValueBench/raw/main/assets/value_orientation.csv",
    ),
    Source(
        "valuebench_ratings",
        "ValueBench QA: the same answers with ratings of their agreement with the item, 0 to 10",
        "items",
        ("valuebench/QA-dataset-answers-rating.xlsx",),
        readers.read_valuebench_ratings,
        f"{GITHUB}/Value4AI/ValueBench",
        "CC BY-SA 4.0 (see the repository)",
        f"{GITHUB}/Value4AI/ValueBench/raw/main/assets/QA-dataset-answers-rating.xlsx",
    ),
    Source(
        "gpv",
        "GPV: questions, answers and the perceptions parsed from them",
        "corpus",
        ("gpv/question-answer-perception.csv",),
        readers.read_gpv,
        f"{GITHUB}/Value4AI/gpv",
        "see the repository",
        f"{GITHUB}/Value4AI/gpv/raw/master/assets/question-answer-perception.csv",
    ),
    Source(
        "beavertails",
        "BeaverTails round 0, 30k: prompts and LLM responses annotated for harm",
        "corpus",
        ("beavertails/round0/30k/train.jsonl.gz", "beavertails/train.jsonl.gz"),
        readers.read_beavertails,
        f"{HUB}/PKU-Alignment/BeaverTails",
        "CC BY-NC 4.0",
        f"{HUB}/PKU-Alignment/BeaverTails/resolve/main/round0/30k/train.jsonl.gz",
    ),
    Source(
        "valuelex",
        "ValueLex: values that LLMs name when asked for theirs",
        "corpus",
        ("valuelex/valuelex.csv",),
        readers.read_valuelex,
        f"{GITHUB}/ValueCompass",
        "see the repository",
    ),
    Source(
        "alpaca_eval",
        "AlpacaEval: answers of the leaderboard's LLMs to 805 instructions",
        "answers",
        ("alpaca_eval/model_outputs.parquet", "alpaca_eval/model_outputs.json"),
        read_texts,
        f"{GITHUB}/tatsu-lab/alpaca_eval",
        "Apache 2.0 (code); CC BY-NC 4.0 (data)",
    ),
    Source(
        "speechmap",
        "SpeechMap: 37 LLMs asked 200 times to criticise governments, reasoning taken off",
        "answers",
        ("speechmap/criticism_en_responses.parquet", "speechmap/criticism_en_responses.jsonl"),
        answers.read_speechmap,
        f"{GITHUB}/xlr8harder/llm-compliance (folder responses, a file a LLM and theme)",
        "Apache 2.0",
    ),
    Source(
        "llm_values_pct",
        "Answers of 10 LLMs to 62 political propositions under 20 templates",
        "answers",
        ("llm_values_pct/completions.parquet", "llm_values_pct/completions.csv"),
        answers.read_llm_values_pct,
        f"{GITHUB}/paul-rottger/llm-values-pct (folder data/completions, a file a LLM)",
        "CC BY 4.0",
    ),
    Source(
        "oasst_model_eval",
        "Open-Assistant's sampling reports: 95 checkpoints, 50 value-laden prompts, six samples",
        "answers",
        ("oasst_model_eval/value_laden_prompts.parquet",),
        answers.read_oasst_model_eval,
        f"{GITHUB}/Open-Assistant/oasst-model-eval (folder sampling_reports)",
        "Apache 2.0",
    ),
    Source(
        "value_portrait",
        "Value Portrait: 520 answers to 104 queries of people",
        "corpus",
        ("value_portrait/item_value_correlations.parquet",),
        answers.read_value_portrait,
        f"{GITHUB}/holi-lab/ValuePortrait (folder data)",
        "MIT",
    ),
    Source(
        "salad_bench",
        "SALAD-Bench: safety prompts, and the scores of LLMs on them",
        "prompts",
        ("salad_bench/base_set.json", "salad_bench/scores.csv"),
        readers.read_salad_bench,
        f"{HUB}/OpenSafetyLab/Salad-Data",
        "Apache 2.0",
        f"{HUB}/OpenSafetyLab/Salad-Data/resolve/main/raw/base_set.json",
    ),
    Source(
        "lmsys_chat_1m",
        "LMSYS-Chat-1M: conversations of people with 25 LLMs (to be requested)",
        "corpus",
        ("lmsys_chat_1m/train.parquet",),
        readers.read_lmsys_chat,
        f"{HUB}/lmsys/lmsys-chat-1m",
        "LMSYS-Chat-1M licence agreement",
    ),
    Source(
        "alpaca_eval_preferences",
        "AlpacaEval: which of two outputs an LLM judge preferred (the outputs lie beside it)",
        "preferences",
        ("alpaca_eval/preferences.parquet",),
        preferences.read_alpaca_preferences,
        f"{GITHUB}/tatsu-lab/alpaca_eval",
        "Apache 2.0 (code); CC BY-NC 4.0 (data)",
    ),
    Source(
        "hh_rlhf",
        "hh-rlhf: conversations of which crowd workers chose one and rejected the other",
        "preferences",
        ("hh_rlhf/train.jsonl.gz", "hh_rlhf/harmless-base/train.jsonl.gz"),
        preferences.read_hh_rlhf,
        f"{HUB}/Anthropic/hh-rlhf",
        "MIT",
        f"{HUB}/Anthropic/hh-rlhf/resolve/main/harmless-base/train.jsonl.gz",
    ),
    Source(
        "pku_saferlhf",
        "PKU-SafeRLHF: pairs of responses, which is the better and which the safer",
        "preferences",
        ("pku_saferlhf/train.jsonl", "pku_saferlhf/train.parquet"),
        preferences.read_pku_saferlhf,
        f"{HUB}/PKU-Alignment/PKU-SafeRLHF",
        "CC BY-NC 4.0",
    ),
    Source(
        "anthropic_persona",
        "Statements that the holder of a trait would or would not say, written by LLMs",
        "items",
        ("anthropic_persona/persona_statements.parquet",),
        items.read_persona,
        f"{GITHUB}/anthropics/evals",
        "CC BY 4.0",
    ),
    Source(
        "ethics_virtue",
        "ETHICS: sentences on people, and whether they show a trait of character",
        "items",
        ("ethics/virtue_train.parquet",),
        items.read_virtue,
        f"{GITHUB}/hendrycks/ethics",
        "MIT",
    ),
    Source(
        "value_fulcra",
        "Value FULCRA: LLMs' answers with Schwartz's values that they are for or against",
        "items",
        ("value_fulcra/trustworthy_data.parquet",),
        items.read_fulcra,
        f"{GITHUB}/microsoft/ValueCompass",
        "MIT",
    ),
    Source(
        "llm_values_pct_agreement",
        "Answers of two LLMs to political propositions, and whether they agree, by people",
        "items",
        ("llm_values_pct/agreement_classification_240124.csv",),
        judged.read_agreement,
        f"{GITHUB}/paul-rottger/llm-values-pct",
        "CC BY 4.0",
    ),
    Source(
        "touche",
        "Touché 2023: arguments, and the categories of values that they resort to, by people",
        "items",
        ("touche_valueeval23/arguments_labelled.parquet",),
        judged.read_touche,
        "https://doi.org/10.5281/zenodo.6814563",
        "CC BY-SA 4.0: test only, so that weights that ship owe nothing to it",
    ),
    Source(
        "value_portrait_correlations",
        "Value Portrait: how agreeing with an answer goes with people's own values",
        "items",
        ("value_portrait/item_value_correlations.parquet",),
        judged.read_portrait_correlations,
        f"{GITHUB}/holi-lab/ValuePortrait",
        "MIT",
    ),
    Source(
        "value_portrait_ratings",
        "Value Portrait: people's ratings of answers, and their own values",
        "items",
        ("value_portrait/human_ratings.parquet",),
        judged.read_portrait_ratings,
        f"{GITHUB}/holi-lab/ValuePortrait",
        "MIT",
    ),
    Source(
        "pairs",
        "Any CSV, JSONL or Parquet file with prompt, winning and losing",
        "preferences",
        (),
        preferences.read_pairs,
        "the study's `preferences.file`",
        "the file's own",
    ),
    Source(
        "demo",
        "SmolLM2-135M-Instruct's answers under 21 profiles, made by this project",
        "answers",
        (),
        readers.read_demo,
        "in this package: gpla_assets/content/demo_texts.parquet",
        "MIT; the LLM is Apache 2.0",
    ),
    Source(
        "table",
        "Any file of answers, or folder of such; its columns are recognised, or mapped",
        "answers",
        (),
        read_texts,
        "the study's `file`",
        "the file's own",
    ),
)
SOURCES: dict[str, Source] = {source.name: source for source in _ALL}


def locate(source: Source, data_dir: Path | None, override: Path | None = None) -> Path:
    """The file of a source: the override (a file, or a folder of it), or below the data folder.

    Raises SourceMissing saying where it was looked for and where to get it.
    """
    if source.name == "demo" and override is None:
        looked = [CONTENT / "demo_texts.parquet"]
    elif override is not None:
        names = [Path(name).name for name in source.files]
        looked = [*(override / name for name in names), override]
    else:
        looked = [data_dir / name for name in source.files] if data_dir else []
    for path in looked:
        if path.is_file() or (path.is_dir() and source.name in OPEN):
            return path
    places = ", ".join(map(str, looked)) or "nowhere, since GPLA_DATA_DIR is not set"
    where = source.url or source.homepage
    raise SourceMissing(
        f"Source {source.name} is not on this machine: looked in {places}; expected "
        f"{' or '.join(source.files) or 'a file'} below the folder GPLA_DATA_DIR, or the study's "
        f"`file`. Get it from {where} (licence: {source.licence})."
    )


OPEN = ("table", "alpaca_eval")
"""Sources whose files may have any format of answers: those that `read_answers` knows."""


def answers_of(
    name: str,
    path: Path,
    columns: Mapping[str, str] | None = None,
    by_file: bool = True,
    most: int | None = None,
) -> Answers:
    """A source's texts as answers, reasoning and refusals told apart; as `read_answers` has them.

    `by_file`: where no column names the LLM, the file's name does; `most` rows are read. Raises
    SourceError.
    """
    if name in OPEN:
        return read_answers(path, columns, by_file=by_file, most=most)
    found = read(name, path, columns)
    return of_rows(found.rows.head(most or len(found.rows)), found.skipped, name)


def read(name: str, path: Path, columns: Mapping[str, str] | None = None) -> ReadResult:
    """All rows of a source's file; raises SourceError, and then nothing is half-loaded."""
    if name not in SOURCES:
        raise SourceError(f"No source {name!r}, expected one of {', '.join(SOURCES)}.")
    return SOURCES[name].reader(path, columns or {})

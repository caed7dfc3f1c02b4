"""A study: one validated configuration of the whole pipeline.

Defaults are the paper's or, where it leaves a point open, those of docs/open_points.md; each says
which point ("Point 9") and why in its description.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from gpla_assets.common.errors import KnownError
from gpla_assets.studies.alignment import TargetSettings
from gpla_assets.studies.benchmarks import CfaSettings, Probe, Validation
from gpla_assets.studies.lexicon import SAME_COSINE, SAME_ROUGE, LexiconSettings
from gpla_assets.studies.measurement import CONTINUOUS, GATED_RULE, MeasurementSettings
from gpla_assets.studies.places import warehouse_folder
from gpla_assets.studies.ppo import Alignment
from gpla_assets.studies.settings import PROMPTED, Model, Settings, UserPath, bearing, user_model
from gpla_assets.studies.structure import StructureSettings

Group = TypeVar("Group", bound=Settings)
SHIPPED = ("demo", "survey", "speechmap", "alignment", "paper", "demo_texts")
RELEVANT = 0.5
"""Point 9: GPV's cut. M_G's default is M_E's, so that values are found where they are measured."""


class StudyError(KnownError, ValueError):
    """A study that cannot be used; the message names key, value and what is allowed."""


class Price(Settings):
    """Money per million tokens, in the currency that the budget is in."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


class Calls(Settings):
    """How endpoints are asked, and when to stop."""

    concurrency: int = Field(8, ge=1, le=512)
    requests_per_minute: float | None = Field(None, gt=0)
    tokens_per_minute: float | None = Field(None, gt=0)
    timeout_s: float = Field(60, gt=0)
    attempts: int = Field(6, ge=1, description="Tries of one call before the run stops.")
    max_calls: int | None = Field(None, ge=1, description="Budget of one run.")
    max_tokens: int | None = Field(None, ge=1, description="Budget of one run.")
    max_cost: float | None = Field(None, gt=0, description="Budget of one run, by `prices`.")
    prices: dict[str, Price] = Field(default_factory=dict, description="By model name.")
    batch_price: float = Field(
        0.5, ge=0, le=1, description="Share of `prices` that calls in batch files cost."
    )


COLUMNS: dict[str, str] = Field(
    default_factory=dict,
    description="Of `table` and `alpaca_eval`: the file's names of llm, question, answer and the "
    "like, where they cannot be told.",
)


class CorpusSource(Settings):
    """A source of corpus texts, from which the lexicon is drawn."""

    source: str
    file: UserPath | None = Field(None, description="Read this file instead of the source's own.")
    sample: int | None = Field(
        None, ge=1, description="Point 1: a seeded sample of so many texts; their keys are stored."
    )
    columns: dict[str, str] = COLUMNS


class SubjectSource(Model):
    """Who is measured, and where the answers come from; an LLM's name is its model."""

    backend: Literal["recorded", "transformers", "openai"] = "recorded"
    source: str = Field("alpaca_eval", description="The source of recorded answers.")
    file: UserPath | None = None
    columns: dict[str, str] = COLUMNS
    llms: list[str] | None = Field(None, description="LLMs by name; all of the source if absent.")
    profiles: list[str] = Field(["Default"], description="Profiles by name, or ['all'].")
    max_new_tokens: int = Field(200, ge=1, le=4096, description="Point 8: at most 200.")
    temperature: float = Field(0, ge=0, le=0, description="Point 8: greedy, so that it repeats.")

    @field_validator("llms", mode="before")
    @classmethod
    def _folders(cls, llms: object, info: ValidationInfo) -> object:
        """LLMs that run here may be folders; elsewhere a name is a name."""
        if info.data.get("backend") != "transformers" or not isinstance(llms, list):
            return llms
        return [user_model(llm, info) for llm in llms]


class Questions(Settings):
    """What subjects are asked."""

    origin: Literal["project", "source"] = Field(
        "project", description="The project's own questions, or prompts of the subjects' source."
    )
    file: UserPath | None = Field(
        None, description="CSV question_id,value,question in the place of the project's own."
    )
    count: int | None = Field(None, ge=1, description="How many; all if absent.")
    pilot_llms: list[str] = Field(
        default_factory=list,
        description="Prompts of a source are chosen by the share of these LLMs' sentences that M_P "
        "keeps: a prompt whose answers state no attitude measures no value.",
    )


class Parser(Model):
    """M_P."""

    backend: str = "embedded"
    read: Literal["answer", "reasoning", "both"] = Field(
        "answer",
        description="What subjects said, what they thought before it where that is known, or both: "
        "`perceptions.part` tells them apart. Refusals are counted and hold no attitudes.",
    )
    minimum_attitude: float = Field(
        0.5, ge=0, le=1, description="Least probability that a sentence states an attitude."
    )
    temperature: float = Field(0, ge=0, le=2, description="Point 2: of an LLM parser.")
    chunk_tokens: int = Field(300, ge=50, description="Point 2: of an LLM parser (GPV's).")


class Generator(Model):
    """M_G."""

    backend: str = "embedded"
    minimum_relevance: float = Field(
        RELEVANT,
        ge=0,
        le=1,
        description="Of the embedded backend: M_E's relevance, as it counts for a measurement; of "
        "Kaleido, where its config has none.",
    )
    values_per_perception: int = Field(5, ge=1, le=100, description="Table 5: 2.2 to 3.2 on mean.")
    rouge_threshold: float = Field(
        SAME_ROUGE,
        gt=0,
        le=1,
        description="Point 3: of Kaleido, for values of one perception, where its config has none.",
    )
    cosine_threshold: float = Field(
        SAME_COSINE, gt=0, le=1, description="Point 3: the same, by the cosine."
    )
    beams: int = Field(100, ge=1, description="Point 3: of Kaleido, type Value only.")
    max_new_tokens: int = Field(30, ge=1, description="Point 3: of Kaleido.")


class Evaluator(Model):
    """M_E."""

    backend: str = "embedded"
    mode: Literal["fast", "accurate"] = Field(
        "fast",
        description="The embedded backend: fast multiplies embeddings; accurate has a "
        "cross-encoder judge the valence of relevant pairs (it needs all-mpnet-base-v2, 438 MB).",
    )
    minimum_relevance: float = Field(
        RELEVANT, ge=0, le=1, description="Point 9: a pair counts strictly above it, as in GPV."
    )
    gate: float | None = Field(
        0.1,
        ge=0,
        le=1,
        description="A prompted LLM is asked about pairs to which the embedded evaluator gives at "
        "least this relevance; null asks about all.",
    )
    answer_margin: float = Field(
        5.0,
        ge=0,
        description="The embedded backend: an answer to a yes-or-no question is judged by itself "
        "only where it is so many times as relevant as the question. The question with the "
        "answer's stance meets ValueBench's ratings better (values held out).",
    )


class Naming(Settings):
    """Names of factors: the study's own, else an LLM's, else the term nearest to their values."""

    names: dict[str, str] = Field(default_factory=dict, description="By factor: {F1: Prudence}.")
    llm: Model | None = Field(None, description="Backend that proposes names; none asks none.")


class Study(Settings):
    """One study, one warehouse."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    description: str = ""
    seed: int = Field(0, ge=0)
    corpus: list[CorpusSource] = Field(min_length=1)
    subjects: list[SubjectSource] = Field(min_length=1)
    profiles_file: UserPath | None = Field(
        None, description="YAML of profiles in the place of the project's own."
    )
    questions: Questions = Questions()
    parser: Parser = Parser()
    generator: Generator = Generator()
    evaluator: Evaluator = Evaluator()
    measurement: MeasurementSettings = Field(MeasurementSettings(), validate_default=True)
    lexicon: LexiconSettings = LexiconSettings()
    structure: StructureSettings = StructureSettings()
    naming: Naming = Naming()
    systems: list[UserPath] = Field(
        default_factory=list,
        description="Further value systems to test beside ours and Schwartz's, as YAML files.",
    )
    cfa: CfaSettings = CfaSettings()
    probe: Probe = Probe()
    validation: Validation = Validation()
    targets: TargetSettings = TargetSettings()
    alignment: Alignment = Alignment()
    calls: Calls = Calls()
    _given: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("measurement")
    @classmethod
    def _of_all_pairs(cls, own: MeasurementSettings, info: ValidationInfo) -> MeasurementSettings:
        """Continuous rules read the relevance of every pair, which a gated LLM does not give."""
        asked = info.data.get("evaluator")
        if not asked or asked.backend not in PROMPTED or asked.gate is None:
            return own
        if "rule" not in own.model_fields_set:
            return own.model_copy(update={"rule": GATED_RULE})
        if own.rule in CONTINUOUS:
            raise ValueError(
                f"rule {own.rule} needs the relevance of every pair, and evaluator.gate = "
                f"{asked.gate:g} keeps pairs from the LLM; expected rule gpv, share, net or top, "
                "or gate: null, which asks about all"
            )
        return own

    @property
    def warehouse_path(self) -> Path:
        """The published warehouse file."""
        return warehouse_folder() / f"{self.name}.duckdb"

    @property
    def report_path(self) -> Path:
        """Where its report lies: report/ in the warehouse folder."""
        return self.warehouse_path.parent / "report" / f"{self.name}.html"

    def bearing(self, *names: str) -> dict[str, object]:
        """The settings that bear on results, by dotted name, of groups (`structure`) or single
        ones (`lexicon.size`)."""
        found: dict[str, object] = {}
        for name in names:
            found |= bearing(self.setting(name), name)
        return self.as_written(found)

    def setting(self, name: str) -> object:
        """A setting, or group of settings, by its dotted name."""
        found: object = self
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def meets(self, condition: str) -> bool:
        """Whether a setting is set, or has the value that follows "=".

        >>> from gpla_assets.studies import load_study
        >>> load_study("demo").meets("alignment.target=published")
        True
        """
        name, wanted, value = condition.partition("=")
        found = self.setting(name)
        return str(found) == value if wanted else bool(found)

    def as_written(self, data: Mapping[str, object]) -> dict[str, object]:
        """Plain data with each path as the study's file has it.

        Fingerprints are of these: a folder moved with its study makes nothing stale, since what the
        files hold is hashed on its own.
        """
        return {name: self._written(one) for name, one in data.items()}

    def _written(self, data: object) -> object:
        if isinstance(data, str):
            return self._given.get(data, data)
        if isinstance(data, list):
            return [self._written(item) for item in data]
        return self.as_written(data) if isinstance(data, dict) else data


def fingerprint(components: object) -> str:
    """A short hash of plain data."""
    text = json.dumps(components, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

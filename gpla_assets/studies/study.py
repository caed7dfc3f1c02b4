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

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from gpla_assets.common.errors import KnownError
from gpla_assets.studies.alignment import TargetSettings
from gpla_assets.studies.asking import Calls, CorpusSource, Questions, SubjectSource
from gpla_assets.studies.benchmarks import CfaSettings, Probe, Validation
from gpla_assets.studies.compute import Compute
from gpla_assets.studies.lexicon import SAME_COSINE, SAME_ROUGE, LexiconSettings
from gpla_assets.studies.measurement import CONTINUOUS, GATED_RULE, MeasurementSettings
from gpla_assets.studies.places import warehouse_folder
from gpla_assets.studies.ppo import Alignment
from gpla_assets.studies.settings import PROMPTED, RUN_ONLY, Model, Settings, UserPath, bearing
from gpla_assets.studies.stores import FILE, AddressError, Store, lake_of, store_of
from gpla_assets.studies.structure import StructureSettings

Group = TypeVar("Group", bound=Settings)
SHIPPED = ("demo", "survey", "speechmap", "alignment", "paper", "demo_texts")
RELEVANT = 0.5
"""Point 9: GPV's cut. M_G's default is M_E's, so that values are found where they are measured."""


class StudyError(KnownError, ValueError):
    """A study that cannot be used; the message names key, value and what is allowed."""


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
    warehouse: str = Field(
        FILE,
        description="Where the tables lie: file, or the address of a DuckLake "
        "(`ducklake:FILE`, `ducklake:postgres:dbname=... host=... data=FOLDER`). Over "
        "GPLA_WAREHOUSE.",
        json_schema_extra=RUN_ONLY,
    )
    corpus: list[CorpusSource] = Field(
        default_factory=list, description="None where `lexicon.values` gives the values."
    )
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
    compute: Compute = Field(Compute(), json_schema_extra=RUN_ONLY)
    _given: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("warehouse")
    @classmethod
    def _is_an_address(cls, address: str, info: ValidationInfo) -> str:
        """Relative paths of an address begin at the study's file, as all of its paths do."""
        try:
            lake = lake_of(address, "study", (info.context or {}).get("folder"))
        except AddressError as error:
            raise ValueError(str(error)) from error
        return FILE if lake is None else lake.address

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

    @model_validator(mode="after")
    def _values_come_from_somewhere(self) -> Study:
        if bool(self.corpus) == bool(self.lexicon.values):
            found = "both are given" if self.corpus else "neither is"
            raise ValueError(
                "expected either `corpus`, whose texts give the values, or `lexicon.values`, a "
                f"list of them (paper, schwartz, or a CSV value,definition); {found}"
            )
        return self

    @property
    def store(self) -> Store:
        """Where its tables lie: the published file, or a lake."""
        return store_of(self.name, self.warehouse)

    @property
    def warehouse_path(self) -> Path:
        """The published warehouse file; what is kept beside the tables lies in its folder."""
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

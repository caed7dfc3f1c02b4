"""Tables of the bookkeeping: calls of LLMs that were paid for, and what made the present rows."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from gpla_assets.storage.columns import INTERNAL, column, key


class ModelCall(SQLModel, table=True):
    __tablename__ = "model_calls"
    __table_args__ = {
        "schema": INTERNAL,
        "comment": "One row per distinct call of an LLM: a rerun finds its reply.",
    }
    call_id: str = key("sha256 of backend, endpoint, model, revision, messages and settings.")
    backend: str = column("Backend that asked, e.g. openai.")
    endpoint: str = column("Address that was asked, without credentials.")
    model: str = column("The model as the endpoint names it.")
    revision: str | None = column("Revision of the model, where the study names one.", default=None)
    messages: str = column("JSON list of the messages that were sent: role and content.")
    settings: str = column(
        "JSON of what else was asked: length, temperature, seed, schema, attempt, sample."
    )
    content: str = column("The reply.")
    reasoning: str | None = column("What the server gave apart as thought before it.", default=None)
    finish: str = column("Why it ended: stop, length, or another reason of the server.")
    prompt_tokens: int = column("Tokens of the messages, as the server counted or as estimated.")
    completion_tokens: int = column("Tokens of the reply, as the server counted or as estimated.")
    asked_at: datetime = column("When it was sent (UTC).")
    seconds: float = column(
        "From sending to the reply, without waits and failed tries; 0 of a batch file."
    )


class Run(SQLModel, table=True):
    __tablename__ = "runs"
    __table_args__ = {
        "schema": INTERNAL,
        "comment": "One row per asset and partition: what made its present rows.",
    }
    asset: str = key("The asset.")
    partition_key: str = key("The partition; empty for an asset without partitions.")
    fingerprint: str = column("Hash of everything that the rows depend on.")
    components: str = column(
        "JSON of those things: settings, files, libraries, code by module, upstream fingerprints."
    )
    code_version: str = column(
        "The fingerprint without what is one subject's alone: Dagster's code version."
    )
    row_count: int = column("Rows written.")
    inferences: int = column("Texts that went through a model.")
    seconds: float = column("Wall time.")
    details: str = column("JSON of what the asset reports besides: skips, accuracies, cautions.")
    finished_at: datetime = column("When it was written (UTC).")


class SchemaVersion(SQLModel, table=True):
    __tablename__ = "schema_versions"
    __table_args__ = {
        "schema": INTERNAL,
        "comment": "One row per version that the warehouse's tables were brought to.",
    }
    version: int = key("Number of the version; the highest is the present one.")
    made_at: datetime = column("When it was brought to it (UTC).")


RUN_TABLES: tuple[type[SQLModel], ...] = (ModelCall, Run, SchemaVersion)

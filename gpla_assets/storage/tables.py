"""The warehouse's tables: one SQLModel class a table, with descriptions of it and its columns.

Keys are natural texts or hashes. There are no physical foreign keys: a partition is replaced by
delete and insert, which a foreign key of DuckDB refuses; dbt tests check the relationships.
"""

from __future__ import annotations

from sqlalchemy import Table, inspect
from sqlmodel import SQLModel

from gpla_assets.storage.alignment_tables import ALIGNMENT_TABLES
from gpla_assets.storage.benchmark_tables import BENCHMARK_TABLES
from gpla_assets.storage.columns import (
    ANALYSIS,
    EVIDENCE,
    INTERNAL,
    LISTS,
    MARTS,
    ORIGINS,
    column,
    key,
    share,
)
from gpla_assets.storage.columns import score as score_of
from gpla_assets.storage.probe_tables import PROBE_TABLES
from gpla_assets.storage.run_tables import RUN_TABLES
from gpla_assets.storage.structure_tables import STRUCTURE_TABLES
from gpla_assets.storage.system_tables import SYSTEM_TABLES
from gpla_assets.storage.target_tables import TARGET_TABLES
from gpla_assets.storage.validation_tables import VALIDATION_TABLES


class Llm(SQLModel, table=True):
    __tablename__ = "llms"
    __table_args__ = {"schema": EVIDENCE, "comment": "One row per LLM that is measured."}
    llm: str = key("Name of the LLM.")
    parameters: str | None = column("Number of parameters as published, e.g. 7B.", default=None)
    source: str = column("Where its answers come from: a source or a backend.")
    family: str | None = column(
        "The pretrained LLMs that it descends from (llm_families.csv); null where not known.",
        default=None,
    )


class Profile(SQLModel, table=True):
    __tablename__ = "profiles"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per profiling prompt (the paper's Table 7).",
    }
    profile: str = key("Name of the profile.")
    content: str = column("The system prompt that sets the profile.")
    asks: str | None = column("The value of Schwartz's ten that it asks for.", default=None)


class Subject(SQLModel, table=True):
    __tablename__ = "subjects"
    __table_args__ = {"schema": EVIDENCE, "comment": "One row per subject: an LLM under a profile."}
    subject_id: str = key("Key of the subject: <llm>|<profile>.")
    llm: str = column("The LLM.")
    profile: str = column("The profile.")


class Question(SQLModel, table=True):
    __tablename__ = "questions"
    __table_args__ = {"schema": EVIDENCE, "comment": "One row per question that subjects answer."}
    question_id: str = key("Key of the question.")
    source: str = column("The source of the question.")
    value: str | None = column("The value that it is meant to elicit.", default=None)
    content: str = column("The question's wording.")
    attitude_share: float | None = share(
        "Share of its pilot answers' sentences that the parser keeps; null where not chosen so.",
        default=None,
    )


class Text(SQLModel, table=True):
    __tablename__ = "texts"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per corpus text, from which the lexicon is drawn.",
    }
    text_id: str = key("Key of the text: a hash of its source, LLM, question and content.")
    source: str = column("The source.")
    llm: str | None = column("The LLM that wrote it.", default=None)
    question_id: str | None = column("Key of the question that it answers.", default=None)
    question_text: str | None = column("Wording of the question that it answers.", default=None)
    content: str = column("The text itself.")


class Response(SQLModel, table=True):
    __tablename__ = "responses"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per subject, question and sample: the subject's answer.",
    }
    response_id: str = key("Key of the response: a hash of subject, question and sample.")
    subject_id: str = column("The subject.")
    question_id: str = column("The question.")
    sample: int = column("Which of the subject's answers to the question, from 1.", low=1)
    answer: str = column("What it said; empty where it only reasoned, or a filter cut in.")
    reasoning: str | None = column(
        "What it thought before that; null where nothing is known of it.", default=None
    )
    refused: bool = column("Whether it refused to answer: such an answer holds no attitudes.")
    finish: str | None = column(
        "Why it ended: stop, length, content_filter; null where not known.", default=None
    )
    language: str | None = column(
        "Language of the answer, as ISO 639-1 has it; null where it cannot be told.", default=None
    )
    backend: str = column("Backend that gave it: recorded, transformers or openai.")
    model: str = column("The model as the backend names it.")
    profile_role: str | None = column(
        "Where the profile stood: system message, or before the question; null where recorded.",
        default=None,
    )
    agent_id: str | None = column("Key of the subject's agent; null where recorded.", default=None)


class Agent(SQLModel, table=True):
    __tablename__ = "agents"
    __table_args__ = {
        "schema": INTERNAL,
        "comment": "One row per agent as it was run: backend, model and settings.",
    }
    agent_id: str = key("Key of the agent: a hash of the other columns.")
    role: str = column(
        "parser (M_P), generator (M_G), evaluator (M_E) or subject.",
        among=("parser", "generator", "evaluator", "subject"),
    )
    backend: str = column("The backend: embedded, transformers, openai, kaleido or valuellama.")
    model: str = column("The model as the backend names it.")
    revision: str | None = column("Commit or tag of a hub model.", default=None)
    dtype: str = column("Number format that was asked for; auto leaves it to the machine.")
    device: str = column("Device that was asked for; auto leaves it to the machine.")
    batch_size: int = column("Texts a batch.")
    version: str | None = column(
        "Hash of the agent's code, settings, weights and libraries.", default=None
    )
    prompt_version: str = column("Version of the project's prompts; of no effect without an LLM.")
    base_url: str | None = column("Endpoint, where it is not the backend's own.", default=None)


class AgentQuality(SQLModel, table=True):
    __tablename__ = "agent_quality"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per agent, data set and measure: how good it is.",
    }
    role: str = key("parser, generator or evaluator.", among=("parser", "generator", "evaluator"))
    backend: str = key("The backend.")
    model: str = key("The model as the backend names it.")
    data: str = key("What it was measured on.")
    measure: str = key("The measure.")
    number: float = column("Its value.")
    n: int = column("Rows that it was computed from.")
    held_out: str = column("What training had not seen: values, labels, or nothing.")


class Perception(SQLModel, table=True):
    __tablename__ = "perceptions"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per perception: an atomic statement of an attitude, of any origin.",
    }
    perception_id: str = key("Key of the perception: a hash of its parent and place.")
    origin: str = column("What it was found in.", among=ORIGINS)
    parent_id: str = column("Key of that text or response.")
    source: str = column("The source of the parent; of validation, what the text is for.")
    subject_id: str | None = column("The subject; null where none spoke.", default=None)
    part: str | None = column(
        "Of a response: answer or reasoning (`parser.read`); null of other origins.",
        among=("answer", "reasoning"),
        default=None,
    )
    ordinal: int = column("Its place among those of the parent's part, from 0.", low=0)
    start_offset: int = column("First character of the sentence in the parent's part.", low=0)
    end_offset: int = column("One past the sentence's last character.", low=0)
    sentence: str = column("The words as they stand in the parent.")
    content: str = column("The statement in words that can be understood alone.")
    attitude: float = share("Probability that the sentence states an attitude.")
    agent_id: str | None = column("Key of the agent that made the row.", default=None)


class Value(SQLModel, table=True):
    __tablename__ = "values"
    __table_args__ = {"schema": EVIDENCE, "comment": "One row per value of the vocabulary."}
    value: str = key("Name of the value.")
    definition: str = column("What someone who holds it wants, in one line.")
    lack: str | None = column("What its lack or opposite looks like.", default=None)
    origin: str = column("The inventory or list that the name comes from.")


class PerceptionValue(SQLModel, table=True):
    __tablename__ = "perception_values"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per corpus perception and value that M_G sees in it.",
    }
    perception_id: str = key("The perception.")
    value: str = key("The value.")
    source: str = column("The source of the perception.")
    probability: float = share("Strength that the generator gives, 0 to 1.")
    agent_id: str | None = column("Key of the agent that made the row.", default=None)


class ValueSimilarity(SQLModel, table=True):
    __tablename__ = "value_similarities"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per candidate pair of near-duplicate values.",
    }
    value_a: str = key("The value that comes first by name.")
    value_b: str = key("The other value.")
    rouge_f: float = share("rougeLsum F measure of the two names, stemmed.")
    rouge_precision: float = share("rougeLsum precision.")
    rouge_recall: float = share("rougeLsum recall.")
    cosine: float = score_of("Cosine of the two names' sentence embeddings.")


class Measurement(SQLModel, table=True):
    __tablename__ = "measurements"
    # the key's index costs two thirds of the insert rate and buys a second check of uniqueness
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per perception, list of values and value that it is relevant to.",
    }
    perception_id: str = key("The perception.")
    lexicon: str = key("The list of values that the value is measured in.", among=LISTS)
    value: str = key("The value.")
    origin: str = column("What the perception was found in.", among=ORIGINS)
    subject_id: str | None = column("The subject; null where none spoke.", default=None)
    relevance: float = share("Probability that the perception bears on the value.")
    p_support: float = share("Probability that it supports the value.")
    p_oppose: float = share("Probability that it opposes the value.")
    p_either: float = share("Probability that it does neither.")
    score: float | None = score_of(
        "p_support - p_oppose; null where p_either is the largest.", default=None
    )
    agent_id: str | None = column("Key of the agent that made the row.", default=None)


class Expression(SQLModel, table=True):
    __tablename__ = "expressions"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per response, list of values and value: what its perceptions add up to "
        "(all but n of their weights, which measurement.follow_on gives; divided by the number of "
        "the subject's samples of the question).",
    }
    response_id: str = key("The response.")
    lexicon: str = key("The list of values that the value is measured in.", among=LISTS)
    value: str = key("The value.")
    subject_id: str = column("The subject.")
    question_id: str = column("The question.")
    n: int = column("Perceptions of the response.", low=1)
    weight_sum: float = column("Their weights.", low=0)
    logit_sum: float | None = column(
        "Logits of their relevance to the value; null where M_E did not give all of it.",
        default=None,
    )
    relevant_n: float = column("Of those that are relevant to it.", low=0)
    sided_n: float = column("Of those of them that take a side.", low=0)
    score_sum: float = column("Scores of these, p_support - p_oppose.")
    top_n: float = column("Of those whose most relevant value of the list it is.", low=0)
    top_weight: float = column(
        "Of those of them that take a side: root of relevance times its logit's lead.",
        low=0,
    )
    top_sum: float = column("The same, times p_support - p_oppose.")
    agent_id: str | None = column("Key of the agent that made the row.", default=None)


MODELS: tuple[type[SQLModel], ...] = (
    Llm,
    Profile,
    Subject,
    Question,
    Text,
    Response,
    Agent,
    AgentQuality,
    Perception,
    Value,
    PerceptionValue,
    ValueSimilarity,
    Measurement,
    Expression,
    *STRUCTURE_TABLES,
    *SYSTEM_TABLES,
    *BENCHMARK_TABLES,
    *PROBE_TABLES,
    *VALIDATION_TABLES,
    *TARGET_TABLES,
    *ALIGNMENT_TABLES,
    *RUN_TABLES,
)
TABLES: dict[str, type[SQLModel]] = {str(model.__tablename__): model for model in MODELS}


def declared(table: str) -> Table:
    """A declared table as SQLAlchemy has it: schema, columns, key and comments."""
    found = inspect(TABLES[table]).local_table
    assert isinstance(found, Table)
    return found


def schema_of(table: str) -> str:
    """The schema of a table by its name: a declared one's, else that of dbt's models."""
    return str(declared(table).schema) if table in TABLES else MARTS

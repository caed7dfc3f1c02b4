"""The tables of the validation studies."""

from __future__ import annotations

from sqlmodel import SQLModel

from gpla_assets.storage.columns import column, key


class ValidationText(SQLModel, table=True):
    __tablename__ = "validation_texts"
    __table_args__ = {"comment": "One row per text that the validation studies measure."}
    text: str = key("Key of the text: a hash of its sample, LLM, question and content.")
    sample: str = column("conversations (coverage) or prompt sets (consistency).")
    prompt_set: str = column("The set that its prompt is of; empty in conversations.")
    llm: str | None = column("The LLM that wrote it.", default=None)
    question_text: str | None = column("What it answers.", default=None)
    content: str = column("The text; of a conversation, what the user asked as well.")
    topic: str | None = column("Topic of a conversation, by embedding.", default=None)
    topic_cosine: float | None = column("Its cosine with what the user asked.", default=None)
    value_laden: bool | None = column("Whether talk on the topic involves values.", default=None)


class ValidationPerception(SQLModel, table=True):
    __tablename__ = "validation_perceptions"
    __table_args__ = {"comment": "One row per perception of a validation text."}
    perception: str = key("Key of the perception: a hash of its text and place.")
    text: str = column("The text.")
    sentence: str = column("The words as they stand in the text.")
    content: str = column("The statement in words that can be understood alone.")
    attitude: float = column("Probability that the sentence states an attitude, 0 to 1.")
    agent: str | None = column("Key of the agent that made the row.", default=None)


class ValidationMeasurement(SQLModel, table=True):
    __tablename__ = "validation_measurements"
    __table_args__ = {
        "comment": "One row per perception of a validation text and value that it is relevant to."
    }
    perception: str = key("The perception.")
    value: str = key("The value.")
    lexicon: str = key("Whose value it is: lexicon or Schwartz-10.")
    relevance: float = column("Probability that the perception bears on the value, 0 to 1.")
    score: float | None = column("p(support) - p(oppose); null where it takes no side.")
    agent: str | None = column("Key of the agent that made the row.", default=None)


class Coverage(SQLModel, table=True):
    __tablename__ = "coverage"
    __table_args__ = {"comment": "One row per conversation and list of values (appendix B.1)."}
    conversation: str = key("The text.")
    topic: str = column("Its topic.")
    value_laden: bool = column("Whether talk on the topic involves values.")
    lexicon: str = key("lexicon (all of it), measured values, or Schwartz-10.")
    n_values: int = column("Different values found in the conversation.")
    n_perceptions: int = column("Perceptions of the conversation.")


class Consistency(SQLModel, table=True):
    __tablename__ = "consistency"
    __table_args__ = {"comment": "One row per LLM and pair of disjoint prompt sets (appendix B.3)."}
    level: str = key("values or factors.")
    set_a: str = key("A set of prompts.")
    set_b: str = key("Another set.")
    llm: str = key("The LLM.")
    r: float | None = column("Correlation of its two profiles over values.", default=None)
    r_centred: float | None = column("The same less each value's mean over LLMs.", default=None)
    r_others: float | None = column("Mean correlation with the other LLMs' profiles.", default=None)
    ceiling: float | None = column("Highest r to expect with so few perceptions.", default=None)
    ceiling_centred: float | None = column("Highest r_centred to expect.", default=None)
    n_values: int = column("Values, or factors, that both profiles have.")
    n_perceptions: int = column("Perceptions behind the smaller profile.")


class ConsistencyCriterion(SQLModel, table=True):
    __tablename__ = "consistency_criteria"
    __table_args__ = {
        "comment": "One row per basis and criterion: do consistent LLMs score higher?"
    }
    basis: str = key("the paper's Table 11, or level and statistic of ours.")
    criterion: str = key("The criterion.")
    r: float | None = column("Correlation over LLMs.", default=None)
    low: float | None = column("Lower end of its 95% interval over LLMs drawn.", default=None)
    high: float | None = column("Upper end.", default=None)
    n: int = column("LLMs.")


class DirectTerm(SQLModel, table=True):
    __tablename__ = "direct_terms"
    __table_args__ = {"comment": "One row per list and value that a LLM named when asked."}
    list_id: str = key("Key of the answer.")
    llm: str = column("The LLM.")
    profile: str = column("Its profile.")
    term: str = key("The value as it was named.")


class DirectCoverage(SQLModel, table=True):
    __tablename__ = "direct_coverage"
    __table_args__ = {"comment": "One row per lexicon and Schwartz value: is it there? (C.1)"}
    lexicon: str = key("ours; direct: values that LLMs named when asked; direct, filtered.")
    schwartz: str = key("The Schwartz value.")
    nearest: str = column("The most similar value of the lexicon.")
    cosine: float = column("Their cosine.")
    missing: bool = column("Whether it is below the floor of 0.53.")


class Circumplex(SQLModel, table=True):
    __tablename__ = "circumplex"
    __table_args__ = {"comment": "One row per reading and pair of Schwartz's ten values (C.2)."}
    reading: str = key("co-occurrence in lists (also as phi), or measurements of subjects.")
    schwartz_a: str = key("A Schwartz value.")
    schwartz_b: str = key("Another.")
    number: float | None = column("Share, 0 to 1, or correlation; null if unknown.", default=None)


class CircumplexFit(SQLModel, table=True):
    __tablename__ = "circumplex_fit"
    __table_args__ = {"comment": "One row per reading and statistic: agreement with the circle."}
    reading: str = key("co-occurrence (also as phi), or measurements.")
    statistic: str = key("The statistic.")
    number: float | None = column("Its value.", default=None)
    p: float | None = column("Its p by relabelling the values.", default=None)
    n_pairs: int = column("Pairs of values that it was computed from.")


class ExternalValidity(SQLModel, table=True):
    __tablename__ = "external_validity"
    __table_args__ = {
        "comment": "One row per evaluator, reading and level: agreement with ValueBench's ratings."
    }
    evaluator: str = key("M_E (values held out in training), or what it is compared with.")
    reading: str = key("Which perceptions of an answer count.")
    level: str = key("What is correlated.")
    value: str = key("The value where the level is of one; else empty.")
    r: float | None = column("The correlation.", default=None)
    low: float | None = column("Lower end of its 95% interval.", default=None)
    high: float | None = column("Upper end.", default=None)
    n: int = column("Answers, cells, values or LLMs that it was computed from.")
    coverage: float | None = column("Share of answers with a score.", default=None)


VALIDATION_TABLES: tuple[type[SQLModel], ...] = (
    ValidationText,
    ValidationPerception,
    ValidationMeasurement,
    Coverage,
    Consistency,
    ConsistencyCriterion,
    DirectTerm,
    DirectCoverage,
    Circumplex,
    CircumplexFit,
    ExternalValidity,
)

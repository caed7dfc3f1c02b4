"""The tables of the validation studies."""

from __future__ import annotations

from sqlmodel import SQLModel

from gpla_assets.storage.columns import ANALYSIS, EVIDENCE, LISTS, column, key, score, share


class ValidationText(SQLModel, table=True):
    __tablename__ = "validation_texts"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per text that the validation studies measure.",
    }
    text_id: str = key("Key of the text: a hash of its sample, LLM, question and content.")
    sample: str = column(
        "conversations (coverage) or prompt sets (consistency).",
        among=("conversations", "prompt sets"),
    )
    prompt_set: str = column("The set that its prompt is of; empty in conversations.")
    llm: str | None = column("The LLM that wrote it.", default=None)
    question_text: str | None = column("What it answers.", default=None)
    content: str = column("The text; of a conversation, what the user asked as well.")
    topic: str | None = column("Topic of a conversation, by embedding.", default=None)
    topic_cosine: float | None = score("Its cosine with what the user asked.", default=None)
    value_laden: bool | None = column("Whether talk on the topic involves values.", default=None)


class Coverage(SQLModel, table=True):
    __tablename__ = "coverage"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per conversation and list of values (appendix B.1).",
    }
    conversation_id: str = key("Key of the text.")
    topic: str = column("Its topic.")
    value_laden: bool = column("Whether talk on the topic involves values.")
    lexicon: str = key("lexicon (all of it), measured values, or Schwartz-10.")
    n_values: int = column("Different values found in the conversation.")
    n_perceptions: int = column("Perceptions of the conversation.")


class Consistency(SQLModel, table=True):
    __tablename__ = "consistency"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per LLM and pair of disjoint prompt sets (appendix B.3).",
    }
    level: str = key("values or factors.", among=("values", "factors"))
    set_a: str = key("A set of prompts.")
    set_b: str = key("Another set.")
    llm: str = key("The LLM.")
    r: float | None = score("Correlation of its two profiles over values.", default=None)
    r_centred: float | None = score("The same less each value's mean over LLMs.", default=None)
    r_others: float | None = score("Mean correlation with the other LLMs' profiles.", default=None)
    ceiling: float | None = column("Highest r to expect with so few perceptions.", default=None)
    ceiling_centred: float | None = column("Highest r_centred to expect.", default=None)
    n_values: int = column("Values, or factors, that both profiles have.")
    n_perceptions: int = column("Perceptions behind the smaller profile.")


class ConsistencyCriterion(SQLModel, table=True):
    __tablename__ = "consistency_criteria"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per basis and criterion: do consistent LLMs score higher?",
    }
    basis: str = key("the paper's Table 11, or level and statistic of ours.")
    criterion: str = key("The criterion.")
    r: float | None = score("Correlation over LLMs.", default=None)
    low: float | None = column("Lower end of its 95% interval over LLMs drawn.", default=None)
    high: float | None = column("Upper end.", default=None)
    n: int = column("LLMs.")


class DirectTerm(SQLModel, table=True):
    __tablename__ = "direct_terms"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per list and value that a LLM named when asked.",
    }
    list_id: str = key("Key of the answer.")
    llm: str = column("The LLM.")
    profile: str = column("Its profile.")
    term: str = key("The value as it was named.")


class DirectCoverage(SQLModel, table=True):
    __tablename__ = "direct_coverage"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per lexicon and Schwartz value: is it there? (C.1)",
    }
    lexicon: str = key("ours; direct: values that LLMs named when asked; direct, filtered.")
    schwartz: str = key("The Schwartz value.")
    nearest: str = column("The most similar value of the lexicon.")
    cosine: float = score("Their cosine.")
    missing: bool = column("Whether it is below lexicon.cosine_threshold.")


class Circumplex(SQLModel, table=True):
    __tablename__ = "circumplex"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per reading and pair of Schwartz's ten values (C.2).",
    }
    reading: str = key("co-occurrence in lists (also as phi), or measurements of subjects.")
    schwartz_a: str = key("A Schwartz value.")
    schwartz_b: str = key("Another.")
    number: float | None = column("Share, 0 to 1, or correlation; null if unknown.", default=None)


class CircumplexFit(SQLModel, table=True):
    __tablename__ = "circumplex_fit"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per reading and statistic: agreement with the circle.",
    }
    reading: str = key("co-occurrence (also as phi), or measurements.")
    statistic: str = key("The statistic.")
    number: float | None = column("Its value.", default=None)
    p: float | None = share("Its p by relabelling the values.", default=None)
    n_pairs: int = column("Pairs of values that it was computed from.")


class ExternalValidity(SQLModel, table=True):
    __tablename__ = "external_validity"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per evaluator, reading and level: agreement with ValueBench's ratings.",
    }
    evaluator: str = key("M_E (values held out in training), or what it is compared with.")
    reading: str = key("Which perceptions of an answer count.")
    level: str = key("What is correlated.")
    value: str = key("The value where the level is of one; else empty.")
    r: float | None = score("The correlation.", default=None)
    low: float | None = column("Lower end of its 95% interval.", default=None)
    high: float | None = column("Upper end.", default=None)
    n: int = column("Answers, cells, values or LLMs that it was computed from.")
    coverage: float | None = share("Share of answers with a score.", default=None)


class Validity(SQLModel, table=True):
    __tablename__ = "validity"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per check, list of values, agent, rule and measure.",
    }
    check: str = key(
        "steering: is the value that a profile asks for higher under it; reliability: do LLMs come "
        "out the same with other questions; reliability less style: the same without what length, "
        "refusals and markdown explain."
    )
    data: str = key("The list of values: lexicon, Schwartz-10 or Schwartz-4.")
    agent: str = key("M_E, or what it is compared with.")
    rule: str = key("The measurement rule; empty of what needs none.")
    measure: str = key("What was measured; in steering also each profile with its value.")
    number: float | None = column("Its value; null where there is none.", default=None)
    low: float | None = column("Lower end of its 95% interval.", default=None)
    high: float | None = column("Upper end.", default=None)
    n: int = column("Profiles, LLMs, values or questions that it was computed from.")
    known: str = column("What chance gives, or what is right.")


class Generalizability(SQLModel, table=True):
    __tablename__ = "generalizability"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per list of values and value: variance of responses' scores between "
        "subjects, questions and samples, in squared units of the score.",
    }
    lexicon: str = key("The list of values that the value is measured in.", among=LISTS)
    value: str = key("The value.")
    rule: str = column("The measurement rule.")
    subjects: int = column("Subjects.")
    questions: int = column("Questions.")
    samples: float | None = column(
        "Answers of a subject to a question that have a score (harmonic mean).", default=None
    )
    scored: float = share("Share of subjects and questions that have a score.")
    between_subjects: float | None = column("What is to be measured.", default=None)
    between_questions: float | None = column("Between questions, for all alike.", default=None)
    interaction: float | None = column(
        "A subject's answers to one question beside these; with what differs between samples where "
        "no question was asked again.",
        default=None,
    )
    between_samples: float | None = column(
        "Between a subject's answers to one question; null where none was asked again.",
        default=None,
    )
    coefficient: float | None = column(
        "Generalizability of this design: the share of the scores' variance that subjects make.",
        default=None,
    )
    twice_questions: float | None = column("The same of twice as many questions.", default=None)
    twice_samples: float | None = column("The same of twice as many samples.", default=None)


VALIDATION_TABLES: tuple[type[SQLModel], ...] = (
    ValidationText,
    Coverage,
    Consistency,
    ConsistencyCriterion,
    DirectTerm,
    DirectCoverage,
    Circumplex,
    CircumplexFit,
    ExternalValidity,
    Validity,
    Generalizability,
)

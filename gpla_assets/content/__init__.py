"""What the project made and ships: values, items, questions, profiles and the demo's texts."""

from gpla_assets.content.reading import (
    CONTENT,
    STANCES,
    ContentError,
    check_stances,
    definitions_of,
    labelled_pairs,
    labelled_sentences,
    llm_aliases,
    neutral_sentences,
    profiles,
    published_factors,
    questions,
    schwartz,
    topics,
    value_items,
    vocabulary,
)

__all__ = [
    "CONTENT",
    "STANCES",
    "ContentError",
    "check_stances",
    "definitions_of",
    "labelled_pairs",
    "labelled_sentences",
    "llm_aliases",
    "neutral_sentences",
    "profiles",
    "published_factors",
    "questions",
    "schwartz",
    "topics",
    "value_items",
    "vocabulary",
]

"""Agents: M_P, M_G, M_E and the LLMs that answer. One file a backend; `registry` makes them."""

from gpla_assets.agents.protocol import (
    BackendUnavailable,
    Perception,
    PerceptionParser,
    UnknownBackend,
    Utterance,
    ValueEvaluator,
    ValueGenerator,
)
from gpla_assets.agents.registry import (
    check_backend,
    make_embedder,
    make_evaluator,
    make_generator,
    make_parser,
    make_subject,
)
from gpla_assets.agents.training import training_report

__all__ = [
    "BackendUnavailable",
    "Perception",
    "PerceptionParser",
    "UnknownBackend",
    "Utterance",
    "ValueEvaluator",
    "ValueGenerator",
    "check_backend",
    "make_embedder",
    "make_evaluator",
    "make_generator",
    "make_parser",
    "make_subject",
    "training_report",
]

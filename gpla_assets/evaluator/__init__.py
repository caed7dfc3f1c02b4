"""The evaluator that ships: its weights, how it was trained, and how good it is."""

from gpla_assets.evaluator.adapter import Adapter, AdapterError
from gpla_assets.evaluator.heads import Floats, Heads, answered, sigmoid, softmax

__all__ = ["Adapter", "AdapterError", "Floats", "Heads", "answered", "sigmoid", "softmax"]

"""Generative psycho-lexical approach: the value system of LLMs from what they write."""

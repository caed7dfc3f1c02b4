"""Texts as numbers: sentence embeddings, cues of stance, their store, local weights."""

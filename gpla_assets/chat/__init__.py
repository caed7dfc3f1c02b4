"""Asking an LLM by messages: one protocol, an endpoint or local weights behind it."""

from gpla_assets.chat.protocol import Chat, ChatReply, ChatRequest, Message

__all__ = ["Chat", "ChatReply", "ChatRequest", "Message"]

"""Asking an LLM by messages: one protocol, an endpoint or local weights behind it."""

from gpla_assets.chat.budget import Budget, Totals
from gpla_assets.chat.cache import MemoryCalls, ReplyCache
from gpla_assets.chat.protocol import Chat, ChatReply, ChatRequest, ChatStopped, Message

__all__ = [
    "Budget",
    "Chat",
    "ChatReply",
    "ChatRequest",
    "ChatStopped",
    "MemoryCalls",
    "Message",
    "ReplyCache",
    "Totals",
]

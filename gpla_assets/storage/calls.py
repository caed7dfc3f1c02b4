"""Replies of LLMs, kept in the warehouse's table `model_calls`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandas as pd

from gpla_assets.chat.cache import AnsweredCall, messages_of, settings_of, whole_text
from gpla_assets.chat.protocol import ChatReply
from gpla_assets.storage.tables import TABLES
from gpla_assets.storage.warehouse import Warehouse

FOUND = """
select call_id, content, reasoning, finish, prompt_tokens, completion_tokens
from internal.model_calls where call_id in (select unnest(?))
"""


class WarehouseCalls:
    """The `ReplyCache` of a study: what one run was answered, later runs find.

    Raises WarehouseError where the warehouse stays locked.
    """

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def find(self, keys: Sequence[str]) -> dict[str, ChatReply]:
        """The kept replies among `keys`, marked as cached."""
        rows = self.warehouse.read(FOUND, [list(keys)])
        return {
            row.call_id: ChatReply(
                row.content,
                row.finish,
                int(row.prompt_tokens),
                int(row.completion_tokens),
                cached=True,
                reasoning=row.reasoning if isinstance(row.reasoning, str) else "",
            )
            for row in rows.itertuples(index=False)
        }

    def keep(self, calls: Sequence[AnsweredCall]) -> None:
        """Write replies in one transaction, in the place of older ones of the same key.

        Lone surrogates become U+FFFD; control characters, NUL too, are kept.
        """
        rows = {call.key: _row(call) for call in calls}
        if rows:
            columns = list(TABLES["model_calls"].model_fields)
            self.warehouse.append("model_calls", pd.DataFrame(list(rows.values()), columns=columns))


def _row(call: AnsweredCall) -> dict[str, object]:
    return {
        "call_id": call.key,
        "backend": call.backend,
        "endpoint": call.endpoint,
        "model": whole_text(call.model),
        "revision": call.revision,
        "messages": whole_text(json.dumps(messages_of(call.request), ensure_ascii=False)),
        "settings": json.dumps(settings_of(call.request), sort_keys=True),
        "content": whole_text(call.reply.content),
        "reasoning": whole_text(call.reply.reasoning) or None,
        "finish": whole_text(call.reply.finish),
        "prompt_tokens": call.reply.prompt_tokens,
        "completion_tokens": call.reply.completion_tokens,
        "asked_at": call.asked_at,
        "seconds": call.seconds,
    }

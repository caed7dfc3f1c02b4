"""Messages without what nobody else is to read."""

from __future__ import annotations

import re

_LOGIN = re.compile(r"(?<=://)[^/\s@'\"]+@")
_KEY = re.compile(r"\b(?:sk|pk|hf|gsk|xai|ghp|AIza)[-_][\w-]{12,}|(?<=Bearer )\S+")
HIDDEN = "[hidden]"


def without_secrets(text: str) -> str:
    """The text without logins of addresses and what looks like a key.

    >>> without_secrets("http://me:word@host/v1 refused sk-abcdefghijklmnop")
    'http://[hidden]@host/v1 refused [hidden]'
    """
    return _KEY.sub(HIDDEN, _LOGIN.sub(f"{HIDDEN}@", text))

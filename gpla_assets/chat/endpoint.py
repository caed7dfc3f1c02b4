"""An OpenAI-compatible server: its address, its key, and what its refusals mean.

The key is read from the environment when the first call is sent, and is never shown.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from pydantic import SecretStr

from gpla_assets.chat.cache import whole_text
from gpla_assets.chat.limits import Fault, retry_after

if TYPE_CHECKING:
    from openai import AsyncOpenAI

OPENAI = "https://api.openai.com/v1"
SHORTEST_SECRET, SHORTEST_KEY, SHORTEST_WORD = 4, 8, 16
"""A key that is shorter than 8, or than 16 where it is of letters alone, is a placeholder such as
'none' or 'ollama', which what a model says may contain."""
SAID = {"content", "reasoning", "reasoning_content", "refusal"}
"""Fields in which a server gives what a model says."""
HIDDEN = "[key]"


def unavailable(message: str) -> Exception:
    """The error of a backend that cannot be used."""
    from gpla_assets.common.errors import BackendUnavailable

    return BackendUnavailable(message)


def endpoint_of(base_url: str | None) -> str:
    """The address without user name and password, as it may be shown and stored.

    Raises BackendUnavailable where it is no http(s) address; one with a query is refused, since a
    key in it could not be told from the rest.
    """
    given = (base_url or OPENAI).strip()
    try:
        parts = urlsplit(given)
        whole = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if not whole or parts.query or parts.fragment:
        shown = "a value not shown here" if set("@?#") & set(given) else repr(given)
        raise unavailable(
            f"base_url is {shown}, expected http(s)://host[:port]/path without query, such as "
            "http://127.0.0.1:8000/v1; the key goes into the environment variable `key_variable`."
        )
    host = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{host}{parts.path.rstrip('/')}"


def _login(base_url: str | None) -> tuple[SecretStr, SecretStr]:
    """User name and password of an address."""
    user, _, password = urlsplit(base_url or "").netloc.rpartition("@")[0].partition(":")
    return SecretStr(unquote(user)), SecretStr(unquote(password))


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_no_word(key: str) -> bool:
    """Whether a key can be told from the words of a text."""
    return len(key) >= (SHORTEST_WORD if key.isalpha() else SHORTEST_KEY)


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    return text


class Endpoint:
    """Where requests go and with which credentials; neither repr nor messages show those."""

    def __init__(self, base_url: str | None, key_variable: str) -> None:
        self.url = endpoint_of(base_url)
        self._user, self._password = _login(base_url)
        self._key_variable = key_variable

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    def client(self, timeout_s: float) -> AsyncOpenAI:
        """An `openai.AsyncOpenAI` that never retries by itself.

        A user name in the address is sent as HTTP Basic authentication, in the place of a key.
        Raises BackendUnavailable where the key is missing; an address of this machine needs none.
        """
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        from gpla_assets.chat.guard import guard

        # an address of this machine is not asked through a proxy
        http = DefaultAsyncHttpxClient(
            trust_env=not _is_loopback(self.url),
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [guard]},
        )
        return AsyncOpenAI(
            api_key=self._key().get_secret_value() or "none",
            base_url=self.url,
            default_headers=self._headers(),
            http_client=http,
            max_retries=0,
            timeout=timeout_s,
        )

    def check(self) -> str:
        """The address, where a key for it is at hand; else raises BackendUnavailable."""
        self._key()
        return self.url

    def _key(self) -> SecretStr:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self._key_variable):
            raise unavailable(
                "key_variable is not the name of an environment variable (its value is not shown, "
                "it may be a key); expected a name such as OPENAI_API_KEY, which holds the key."
            )
        key = SecretStr(os.environ.get(self._key_variable, "").strip())
        if re.search(r"[^!-~]", key.get_secret_value()):
            raise unavailable(
                f"Environment variable {self._key_variable} holds blanks, control or non-ASCII "
                "characters, which no key has; set it anew."
            )
        if not (key or self._user or _is_loopback(self.url)):
            raise unavailable(
                f"No key for {self.url}: environment variable {self._key_variable} is not set. "
                f"Run `export {self._key_variable}=...`, or name another one as `key_variable`; "
                "for a server that wants no key set it to `none`."
            )
        return key

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self._basic()}"} if self._user else {}

    def _basic(self) -> str:
        pair = f"{self._user.get_secret_value()}:{self._password.get_secret_value()}"
        return base64.b64encode(pair.encode()).decode()

    def scrub(self, text: str) -> str:
        """Text of the server without the credentials, should it echo them."""
        key = {one for one in self._keys() if _is_no_word(one)}
        return _without(text, key | self._logins())

    def heard(self, content: bytes) -> Any:
        """What a server's JSON says, without the credentials wherever they stand, in whole text.

        All that is kept or shown of a reply comes through here. Raises ValueError where it is no
        JSON, and RecursionError where it is nested too deep.
        """
        return self._scrubbed(json.loads(content), self._hidden)

    def said(self, text: str) -> str:
        """The server's words for a message: one line, at most 300 characters, no credentials."""
        found = self._hidden(text)
        shown = "".join(one if one.isprintable() else " " for one in found)
        return " ".join(shown.split())[:300]

    def _scrubbed(self, found: Any, scrub: Callable[[str], str]) -> Any:
        if isinstance(found, str):
            return scrub(whole_text(found))
        if isinstance(found, list):
            return [self._scrubbed(one, scrub) for one in found]
        if isinstance(found, dict):
            return {
                self._hidden(whole_text(key)): self._scrubbed(
                    one, self.scrub if key in SAID else scrub
                )
                for key, one in found.items()
            }
        return found

    def _hidden(self, text: str) -> str:
        """Text that no model wrote, without any credential that is long enough to be told."""
        return _without(text, self._keys() | self._logins())

    def _keys(self) -> set[str]:
        """The key, and as an address has it."""
        key = os.environ.get(self._key_variable, "").strip()
        return {key, quote(key)}

    def _logins(self) -> set[str]:
        """The password, and as an address or a header has it."""
        password = self._password.get_secret_value()
        return {password, quote(password), self._basic() if self._user else ""}

    def fault_of_status(self, status: int, text: str, headers: Mapping[str, str]) -> Fault:
        """What a reply without success means: ask again, or stop and tell the user what to do."""
        reason = f"status {status}: {self.said(text)}"
        if status == 429 and "insufficient_quota" in text:
            remedy = "The account's quota is spent; raise it, then run again."
            return Fault(reason, again=False, remedy=remedy)
        if status in (408, 409, 425, 429) or status >= 500:
            return Fault(reason, wait_s=retry_after(headers))
        remedies = {
            401: f"Set the environment variable {self._key_variable} to a valid key of it.",
            403: "The key may not use this model; choose another model, or another key.",
            404: "Check `base_url` (most end in /v1) and the model's name.",
        }
        remedy = remedies.get(status, "Change the setting or the text that its message names.")
        # what is wrong with the request is wrong everywhere
        return Fault(reason, again=False, remedy=remedy, elsewhere=status in remedies)

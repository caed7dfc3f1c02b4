"""What is taken from a server: plain bytes, so many at most, from the host that was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from httpx2 import URL, AsyncByteStream, InvalidURL, Response

from gpla_assets.chat.limits import BYTES_EVER, Fault, most_bytes
from gpla_assets.chat.protocol import ChatRequest
from gpla_assets.common.errors import KnownError

_most: ContextVar[int] = ContextVar("most bytes of a reply", default=BYTES_EVER)


class Refused(KnownError, RuntimeError):
    """A response that is not read to its end; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


@contextmanager
def bounded(request: ChatRequest) -> Iterator[None]:
    """Inside, responses are those to `request`."""
    token = _most.set(most_bytes(request))
    try:
        yield
    finally:
        _most.reset(token)


async def guard(response: Response) -> None:
    """Look at a response's head and bound its body; a hook of the client, before it is read.

    Raises Refused for a redirect to another host, where the texts would go to somebody who was not
    chosen, and for a compressed body, which says nothing of its length.
    """
    if response.has_redirect_location:
        _check_redirect(response)
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise Refused(_final("the reply is compressed, though plain text was asked for"))
    if isinstance(response.stream, AsyncByteStream):
        response.stream = _Bounded(response.stream, _most.get())


def _check_redirect(response: Response) -> None:
    asked = response.request.url
    try:
        to = asked.join(response.headers["location"])
    except InvalidURL:
        raise Refused(_final("it redirects to what is no address")) from None
    if _origin(to) != _origin(asked) and not _is_https_of(to, asked):
        host = f"{to.scheme}://{to.host}{f':{to.port}' if to.port else ''}"
        remedy = "If that is the right one, set `base_url` to it."
        raise Refused(_final(f"it redirects to {host}, another host than was asked", remedy))


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _is_https_of(to: URL, asked: URL) -> bool:
    """Whether an address is the same one, encrypted."""
    ports = _origin(asked)[2] == 80 and _origin(to)[2] == 443
    return ports and to.host == asked.host and to.scheme == "https"


def _final(reason: str, remedy: str = "Ask another server, or one without such a proxy.") -> Fault:
    return Fault(reason, again=False, remedy=remedy)


class _Bounded(AsyncByteStream):
    """A body that is given up once it is longer than `most` bytes."""

    def __init__(self, stream: AsyncByteStream, most: int) -> None:
        self._stream, self._most = stream, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for part in self._stream:
            taken += len(part)
            if taken > self._most:
                raise Refused(
                    _final(
                        f"the reply is longer than {self._most:,} bytes, more than the tokens "
                        "that were asked for can be",
                        "The server does not keep `max_tokens`; ask another one.",
                    )
                )
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()

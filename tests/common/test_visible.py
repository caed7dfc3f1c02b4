"""What LLMs wrote, as it may be shown; names that are nearest; messages without secrets."""

from __future__ import annotations

import pytest

from gpla_assets.common.nearest import UnknownName, chosen, nearest, shortened
from gpla_assets.common.secrets import without_secrets
from gpla_assets.common.visible import visible


@pytest.mark.parametrize("code", [0x00, 0x07, 0x1B, 0x7F, 0x9B, 0x202E, 0x2066, 0x200F, 0x2028])
def test_what_acts_on_a_screen_is_written_out(code: int) -> None:
    shown = visible(f"a{chr(code)}b")
    assert shown.isprintable() and shown.startswith("a\\") and shown.endswith("b")


@pytest.mark.parametrize("text", ["Grüße", "價值", "שלום", "👩‍🚀", "naïve — “quoted”"])
def test_letters_of_every_language_and_emoji_stay(text: str) -> None:
    assert visible(text) == text


def test_half_an_emoji_is_shown_and_can_be_encoded() -> None:
    assert visible("a\ud83d").encode() == b"a\\ud83d"
    assert visible("a\nb\tc", "\n\t") == "a\nb\tc"


def test_the_nearest_names_come_first() -> None:
    known = ["gpt-4-turbo", "gpt-4", "claude-2", "gemini"]
    assert nearest("gpt4", known) == ["gpt-4", "gpt-4-turbo"]
    assert nearest("zzz", known) == []
    assert chosen("LLM", " GPT-4 ", known, "") == "gpt-4"
    with pytest.raises(UnknownName, match="expected one of 5, such as"):
        chosen("LLM", "zzz", [*known, "llama"], "")
    with pytest.raises(UnknownName, match="there is none"):
        chosen("LLM", "zzz", [], "")


def test_logins_and_keys_leave_messages() -> None:
    said = without_secrets("https://user:pa55@host/v1, sk-proj-abcdefghijklmnop, Bearer abc.def")
    assert "pa55" not in said and "abcdefgh" not in said and "abc.def" not in said
    assert "https://[hidden]@host/v1" in said
    assert without_secrets("the mask-wearing task at https://host/@me") == (
        "the mask-wearing task at https://host/@me"
    )
    assert len(shortened("x" * 999)) == 79

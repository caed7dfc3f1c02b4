"""The language of an answer, where it can be told: the agents that ship know English alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

ENGLISH = "en"
READ = 600
"""Characters that are looked at."""
FEWEST_LETTERS = 12
"""Of Latin script: in fewer no language can be told."""
ENGLISH_SHARE = 0.12
"""From this share of its words among the most common of English on a text is English."""
_COMMON = frozenset(
    re.findall(
        r"\S+",
        "the of and a to in is you that it he was for on are as with his they i at be this have "
        "from or one had by not but what all were we when your can said there use an each which "
        "she do how their if will up about out many then them these so some her would make like "
        "him into has more my its who been now people than me our because should could may it's "
        "don't i'm no yes ",
    )
)
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def language_of(text: str) -> str | None:
    """The code of a text's language (ISO 639-1); None where the text is too short to tell.

    English is known by its common words, all else by py3langid.

    >>> language_of("I believe that honesty matters."), language_of("Hm.")
    ('en', None)
    >>> language_of("我认为诚实非常重要。"), language_of("Creo que la honestidad es importante.")
    ('zh', 'es')
    """
    start = text[:READ]
    words = [word.replace("’", "'").casefold() for word in _WORDS.findall(start)]
    letters = sum(map(len, words))
    latin = len(_LATIN.findall(start))
    if latin > letters / 2:
        common = sum(word in _COMMON for word in words)
        if words and common / len(words) >= ENGLISH_SHARE:
            return ENGLISH
        if latin < FEWEST_LETTERS or len(words) < 3:
            return None
    elif not letters:
        return None
    return _classified(start)


_KNOWN = re.findall(
    r"\w+",
    "en de fr es pt it nl pl ru uk cs sk ro hu bg el sv da no fi et lv lt hr sr sl tr ar fa he "
    "hi bn ur ta te th vi id ms zh ja ko ",
)
"""Languages that LLMs answer in; of rarer ones short English is mistaken for."""


def _classified(text: str) -> str:
    return str(_identifier()(text)[0])


@lru_cache
def _identifier() -> Callable[[str], tuple[str, float]]:
    from py3langid import langid

    langid.set_languages(_KNOWN)
    found: Callable[[str], tuple[str, float]] = langid.classify
    return found

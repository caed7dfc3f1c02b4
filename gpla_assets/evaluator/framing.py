"""What stands around a statement and says only that it is meant, or denied.

"Yes, I believe that honesty matters." and "Honesty matters." bear alike on every value, and "I do
not believe that honesty matters." bears on the same ones the other way. Profiled LLMs put such
words before much of what they say, and encoders take them for meaning: before these rules, "Yes, I
believe that" took the relevance of nine relevant pairs in ten below 0.5, and neither mode of M_E
heard "it is not true that". What no rule knows still moves them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LEAST_WORDS = 2
"""Less than so many words are no statement of their own: "I believe you" keeps its frame."""

LAYERS = 4
"""Frames around frames that are looked for: "Yes, personally I do not think that ..." has three."""

_ADVERBS = (
    r"(?:(?!hardly|scarcely|barely|rarely)\w{2,20}ly\s+|also\s+|always\s+|still\s+|do\s+|would\s+|"
    r"must\s+|just\s+)*"
)
_CLAUSE = (
    r"(?=(?:it|it['’]s|we|you|people|everyone|everybody|he|she|they|there|i|i['’]m|this|these|those|"
    r"one|all|every|each|being|having|a|an|the(?!\s+world)|our|my|your|their)\b)"
)
_IDEA = r"(?:the\s+(?:idea|claim|notion|view|statement|suggestion)\s+that|that)"
_AFFIRMED = re.compile(
    r"^(?:"
    r"(?:yes|yeah|yep|no|nope|absolutely|certainly|definitely|of course|indeed|sure|surely|exactly|"
    r"agreed|honestly|frankly|personally|without a doubt|well|oh|ah)\s*[,.!;:—–-]+\s+"
    rf"|(?:i|we)\s+{_ADVERBS}(?:believe|think|feel|agree|hold|maintain|find|know|argue|say|"
    r"(?:am|are)\s+(?:\w+ly\s+)?(?:convinced|certain|sure|confident))\s+that\s+"
    rf"|(?:i|we)\s+{_ADVERBS}think\s+{_CLAUSE}"
    rf"|(?:i|we)\s+{_ADVERBS}believe\s+(?!in\b|me\b|him\b|them\b|us\b|so\b|not\b|that\b|what\b)"
    r"|(?:in|from)\s+(?:my|our)\s+(?:\w+\s+)?(?:view|opinion|experience|perspective|eyes|mind|"
    r"point of view|judge?ment)\s*,\s+"
    r"|(?:to\s+me|if\s+you\s+ask\s+me|(?:the\s+way|as)\s+i\s+see\s+it|speaking\s+for\s+myself)"
    r"\s*,\s+"
    r"|it(?:\s+is|['’]s)\s+(?:my|our)\s+(?:\w+\s+)?(?:view|opinion|belief|conviction)\s+that\s+"
    r"|i(?:\s+am|['’]m)\s+of\s+the\s+(?:opinion|view)\s+that\s+"
    r"|(?:it(?:\s+is|['’]s)\s+(?:certainly\s+|absolutely\s+)?true|there(?:\s+is|['’]s)\s+no\s+"
    r"(?:doubt|question)(?:\s+in\s+my\s+mind)?)\s+that\s+"
    r")",
    re.IGNORECASE,
)
_NOT = r"(?:do\s+not|don['’]t|would\s+not|wouldn['’]t|never)"
_DENIED = re.compile(
    r"^(?:"
    rf"(?:i|we)\s+{_ADVERBS}(?:{_NOT}|cannot|can['’]t)\s+{_ADVERBS}(?:agree(?:\s+with)?|accept)\s+{_IDEA}\s+"
    rf"|(?:i|we)\s+{_ADVERBS}{_NOT}\s+{_ADVERBS}(?:believe|think|feel|hold|find|say)\s+that\s+"
    rf"|(?:i|we)\s+{_ADVERBS}{_NOT}\s+{_ADVERBS}(?:believe|think)\s+{_CLAUSE}"
    rf"|(?:i|we)\s+{_ADVERBS}(?:disagree(?:\s+with)?|doubt|deny|dispute|reject|"
    rf"refuse\s+to\s+(?:accept|believe))\s+{_IDEA}\s+"
    r"|it(?:\s+is|['’]s|\s+would\s+be)\s+(?:\w+ly\s+)?(?:not\s+true|untrue|false|a\s+myth|"
    r"not\s+the\s+case|(?:wrong|mistaken|a\s+mistake|not\s+(?:right|correct))\s+to\s+"
    r"(?:say|think|believe|claim))\s+that\s+"
    r"|it\s+isn['’]t\s+(?:true|the\s+case)\s+that\s+"
    r")",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Unframed:
    """A text without its frame; `denied`: whether the frame denied it."""

    text: str
    denied: bool


def unframed(text: str) -> Unframed:
    """Takes off what affirms or denies all that follows, layer by layer.

    >>> unframed("Yes, I don't think that lying helps.")
    Unframed(text='Lying helps.', denied=True)
    >>> unframed("I believe in God.")
    Unframed(text='I believe in God.', denied=False)
    """
    denied = False
    for _ in range(LAYERS):
        # decision 0005: by rule, before anything is embedded
        refused = _DENIED.match(text)
        found = refused or _AFFIRMED.match(text)
        rest = text[found.end() :] if found else ""
        # split stops at the count: a long rest is not cut into all of its words
        if len(rest.split(maxsplit=LEAST_WORDS)) < LEAST_WORDS:
            break
        # two denials affirm
        denied ^= refused is not None
        text = rest[:1].upper() + rest[1:]
    return Unframed(text, denied)

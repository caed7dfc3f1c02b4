"""What a sentence speaks of when it does not say so itself: the question, or the one before it.

"No, it isn't necessary." to "Should I plan ahead?" becomes "You should not plan ahead; it isn't
necessary.", so that a perception can be understood alone.
"""

from __future__ import annotations

import re

SHORT_ANSWER = 3
"""An answer of so many sentences is about the question throughout."""
LONGEST_QUESTION = 140

SUBJECT = (
    r"(?:i|you|we|they|it|one|people|everyone|everybody|someone|there|he|she|children|parents)"
)
AUXILIARY = (
    r"(?:should|can|could|will|would|may|might|must|am|is|are|was|were|do|does|did|have|has)"
)
INVERTED = re.compile(rf"^({AUXILIARY})\s+({SUBJECT})\s+(.+?)\?*$", re.IGNORECASE)
EMBEDDED = re.compile(
    r"^(?:is it true that|do you (?:think|believe|agree)(?: that)?|would you say(?: that)?)"
    r"\s+(.+?)\?*$",
    re.IGNORECASE,
)
YES = r"yes|yeah|yep|absolutely|definitely|certainly|of course|sure|indeed"
NO = r"no|nope|absolutely not|definitely not|certainly not|of course not|not necessarily|not really"
POLAR = re.compile(
    rf"^(?:(?P<no>{NO})|(?P<yes>{YES}))\b(?!\s+(?:one|matter|need))[,.!;:]*\s*", re.IGNORECASE
)
ANAPHOR = re.compile(
    r"^(?:it|this|that|these|those|they|them|he|she|such|doing so|both|either|neither|so|"
    r"in this case|in that case|for example|if so|if not)\b",
    re.IGNORECASE,
)
OPENER = re.compile(
    r"^(?:however|therefore|additionally|moreover|furthermore|also|instead|ultimately|overall|"
    r"in addition|in conclusion|in summary|thus|hence|finally|besides|nevertheless|nonetheless|"
    r"that said|on the other hand|but|and|yet),?\s+(?=\w)",
    re.IGNORECASE,
)
# "It is important to ..." names what it is about; "It is important." does not.
EXPLETIVE = re.compile(
    r"^it(?:\s+is|['’]s|\s+isn['’]t|\s+can be|\s+may be|\s+might be|\s+would be|\s+was)\s+"
    r"(?:[\w-]+\s+){1,4}?(?:to|that|for|when|how|if|whether)\s+\w+",
    re.IGNORECASE,
)
# "These habits help ..." half names its referent; "This will help ..." does not.
DEMONSTRATIVE_NOUN = re.compile(
    r"^(?:this|that|these|those|such|both|either)\s+"
    r"(?!(?:will|would|can|could|may|might|should|must|does|have|help|also|means|makes|allows|"
    r"includes|ensures|requires|leads|gives|shows|depends|could)\w*\b)\w{4,}",
    re.IGNORECASE,
)
MINIMUM_WORDS = 4

SWAPS = {
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "i'm": "you're",
    "am": "are",
}


def is_dependent(sentence: str) -> bool:
    """Whether a sentence needs something outside to be understood."""
    if EXPLETIVE.match(sentence):
        return False
    if len(sentence.split()) < MINIMUM_WORDS:
        return True
    return bool(ANAPHOR.match(sentence))


def declarative(question: str, negative: bool = False) -> str | None:
    """The statement that "yes" (or "no") to a question amounts to; None for other questions.

    >>> declarative("Should I plan my days ahead?", negative=True)
    'You should not plan your days ahead'
    """
    question = " ".join(question.split())
    embedded = EMBEDDED.match(question)
    if embedded:
        stated = _addressed(embedded.group(1))
        return _capitalised(f"it is not true that {stated}" if negative else stated)
    inverted = INVERTED.match(question)
    if not inverted:
        return None
    auxiliary, subject, rest = (
        part.lower() if n < 2 else part for n, part in enumerate(inverted.groups())
    )
    subject = "you" if subject == "i" else subject
    auxiliary = {"am": "are"}.get(auxiliary, auxiliary)
    rest = _addressed(rest)
    if negative and rest.lower().startswith("never "):
        return _capitalised(f"{subject} {auxiliary} at times {rest[6:]}")
    if negative:
        return _capitalised(f"{subject} {auxiliary} not {rest}")
    if auxiliary in ("do", "does", "did"):
        return _capitalised(f"{subject} {rest}")
    return _capitalised(f"{subject} {auxiliary} {rest}")


def self_contained(
    sentence: str, question: str | None, previous: str | None, n_sentences: int
) -> str:
    """A sentence in words that can be understood alone.

    `previous`: the sentence before it, None for the first; `n_sentences`: of the whole answer.
    """
    sentence = OPENER.sub("", sentence)
    polar = POLAR.match(sentence) if question and previous is None else None
    if polar and question:
        rest = _capitalised(sentence[polar.end() :])
        if len(rest.split()) >= MINIMUM_WORDS and not is_dependent(rest):
            return rest
        stated = declarative(question, negative=polar.group("no") is not None)
        if stated:
            return f"{stated}; {rest[:1].lower()}{rest[1:]}" if rest else f"{stated}."
        return _asked(question, sentence)
    if not is_dependent(sentence):
        return _capitalised(sentence)
    if question and (previous is None or n_sentences <= SHORT_ANSWER):
        return _asked(question, sentence)
    if previous and not DEMONSTRATIVE_NOUN.match(sentence):
        return f"{previous} {_capitalised(sentence)}"
    return _capitalised(sentence)


def _asked(question: str, sentence: str) -> str:
    question = " ".join(question.split())
    if len(question) > LONGEST_QUESTION:
        return _capitalised(sentence)
    stated = declarative(question)
    about = f"whether {stated[:1].lower()}{stated[1:]}" if stated else f'"{question}"'
    return f"Asked {about}: {sentence[:1].lower()}{sentence[1:]}"


def _addressed(text: str) -> str:
    """First person to second: the answer speaks to the asker."""

    def swap(found: re.Match[str]) -> str:
        return SWAPS[found.group().casefold().replace("’", "'")]

    return re.sub(r"\b(?:i['’]m|i|me|my|mine|myself|am)\b", swap, text, flags=re.IGNORECASE)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]

"""What a sentence speaks of when it does not say so itself: the question, or the one before it.

"No, it isn't necessary." to "Should I plan ahead?" is kept as "Should I plan ahead? No, it isn't
necessary.", so that a perception can be understood alone: half of what an answer to a yes-or-no
question means stands in the question.
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
REQUEST = re.compile(
    r"^(?:can|could|will|would) you\b|^(?:can|could|may) (?:i|we) (?:ask|get|have)\b", re.IGNORECASE
)
"""Asks for something to be done: yes or no to it says nothing of what the answerer holds dear."""
EMBEDDED = re.compile(
    r"^(?:is it true that|do you (?:think|believe|agree)(?: that)?|would you say(?: that)?)"
    r"\s+(.+?)\?*$",
    re.IGNORECASE,
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


def is_dependent(sentence: str) -> bool:
    """Whether a sentence needs something outside to be understood."""
    if EXPLETIVE.match(sentence):
        return False
    if len(sentence.split()) < MINIMUM_WORDS:
        return True
    return bool(ANAPHOR.match(sentence))


def self_contained(
    sentence: str, question: str | None, previous: str | None, n_sentences: int
) -> str:
    """A sentence in words that can be understood alone.

    `previous`: the sentence before it, None for the first; `n_sentences`: of the whole answer.
    """
    # "However, ..." refers back without needing what it refers to
    sentence = OPENER.sub("", sentence)
    # decision 0004: kept with its question, which is judged as a part of its own
    if question and previous is None and is_polar(question):
        return f"{_one_line(question)} {_capitalised(sentence)}"
    if not is_dependent(sentence):
        return _capitalised(sentence)
    if question and (previous is None or n_sentences <= SHORT_ANSWER):
        return _asked(question, sentence)
    if previous and not DEMONSTRATIVE_NOUN.match(sentence):
        return f"{previous} {_capitalised(sentence)}"
    return _capitalised(sentence)


def holds_question(content: str, question: str | None) -> bool:
    """Whether a perception's words begin with the question that it answers.

    >>> holds_question("Is order good? No, never.", "Is order  good?")
    True
    """
    asked = _one_line(question or "")
    return bool(asked) and content.startswith((f"{asked} ", f'Asked "{asked}":'))


def is_polar(question: str) -> bool:
    """Whether a question asks for yes or no, and is short enough to be kept before its answer."""
    question = _one_line(question)
    return (
        question.endswith("?")
        and len(question) <= LONGEST_QUESTION
        and question.count("?") == 1
        and not REQUEST.match(question)
        and bool(EMBEDDED.match(question) or INVERTED.match(question))
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _asked(question: str, sentence: str) -> str:
    question = _one_line(question)
    if len(question) > LONGEST_QUESTION:
        return _capitalised(sentence)
    if is_polar(question):
        return f"{question} {_capitalised(sentence)}"
    # an open question is no statement to assert or deny: it is quoted
    return f'Asked "{question}": {sentence[:1].lower()}{sentence[1:]}'


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]

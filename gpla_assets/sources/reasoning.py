"""Reasoning and answer, told apart in one text: what a LLM thought and what it said."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAMES = (
    r"(?:think|thinking|thoughts?|reasoning|reason|reflection|scratch_?pad|analysis|cot|"
    r"(?:inner|internal)_(?:thoughts?|monologue))"
)
_TAG = re.compile(
    rf"<\s*(?P<end>/)?\s*(?:\w+:)?{_NAMES}(?:\s[^<>]*)?(?P<empty>/)?>"
    rf"|<\|\s*(?P<mark>/|begin_of_|start_|end_of_|end_)?{_NAMES}\s*\|>"
    rf"|◁(?P<kimi>/)?{_NAMES}▷"
    r"|(?-i:\[(?P<square>/)?(?:THINK|THINKING|THOUGHT|REASONING)\])"
    r"|<unused94>(?:thought\b)?|(?P<gemma><unused95>)",
    re.IGNORECASE,
)
"""An opening or a closing tag, in the forms that LLMs and servers write."""
_SOLUTION = re.compile(
    r"<\|\s*(?:(?:begin_of_|start_|end_of_|end_)(?:solution|response|answer))\s*\|>", re.IGNORECASE
)
_DETAILS = re.compile(
    r"<details\b[^>]*\btype=[\"']reasoning[\"'][^>]*>(?:\s*<summary>.*?</summary>)?(.*?)"
    r"(?:</details>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w+)[^<]*(?:<\|constrain\|>[^<]*)?<\|message\|>"
    r"(.*?)(?=<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)
_BARE_CHANNELS = re.compile(
    r"\s*(?:assistant)?analysis(?=[A-Z\s])(.*?)assistantfinal(.*)", re.DOTALL
)
"""The same, where a server has taken the marks away."""
_ESCAPED = re.compile(rf"&lt;(\s*/?\s*{_NAMES}\s*)&gt;", re.IGNORECASE)
"""A tag as a web page's source has it."""
_TURN_BEGINS = re.compile(
    r"\A(?:\s*(?:<s>|<bos>|<\|(?:begin_of_text|startoftext|endoftext)\|>"
    r"|(?:<\|im_start\|>|<\|start\|>|<\|start_header_id\|>)\s*assistant(?:\s*<\|end_header_id\|>)?"
    r"|<start_of_turn>\s*model\b|<\|assistant\|>))+(?!\s*<\|channel\|>)"
)
_TURN_ENDS = re.compile(
    r"(?:(?:</s>|<eos>|<pad>|<end_of_turn>"
    r"|<\|(?:end|return|im_end|endoftext|eot_id|eom_id|end_of_text)\|>)\s*)+\Z"
)
"""What a chat template puts around a turn, where a server leaves it in."""
_SIGNS = ("<", "◁", "[", "assistantfinal", "&lt;")
FINAL = "final"


def split_reasoning(text: str) -> tuple[str, str, bool]:
    """Answer, reasoning, and whether a block of reasoning was never closed: then no answer came.

    Known are tags (`<think>`, `<THINKING x="1">`, `<|begin_of_thought|>`, `[THINK]`, `◁think▷`
    ...), also within each other, and channels (`<|channel|>analysis`). Of some LLMs the opening tag
    stands in the prompt: then the answer begins behind the closing one. A tag in backticks is
    spoken of, not used.

    >>> split_reasoning("<think>They want a poem.</think>Roses are red.")
    ('Roses are red.', 'They want a poem.', False)
    >>> split_reasoning("Well...</think>Yes."), split_reasoning("<think>Well...")
    (('Yes.', 'Well...', False), ('', 'Well...', True))
    """
    if not any(sign in text for sign in _SIGNS):
        return text.strip(), "", False
    text = _TURN_ENDS.sub("", _TURN_BEGINS.sub("", _ESCAPED.sub(r"<\1>", text), count=1))
    if "<|channel|>" in text:
        return _of_channels(text)
    bare = _BARE_CHANNELS.fullmatch(text)
    if bare:
        return bare[2].strip(), bare[1].strip(), False
    text = _SOLUTION.sub("", _DETAILS.sub(r"<think>\1</think>", text))
    answer, reasoning, closed = _of_tags(text)
    return answer, reasoning, not closed


def _of_channels(text: str) -> tuple[str, str, bool]:
    parts = [(found[1], found[2].strip()) for found in _CHANNEL.finditer(text)]
    answer = "\n\n".join(said for name, said in parts if name == FINAL)
    thought = "\n\n".join(said for name, said in parts if name != FINAL)
    return answer, thought, not any(name == FINAL for name, _ in parts)


def _tags(text: str) -> Iterator[tuple[int, int, bool]]:
    """Places of tags, each with whether it closes; an empty element is nothing."""
    for found in _TAG.finditer(text):
        if text[found.start() - 1 : found.start()] == "`" == text[found.end() : found.end() + 1]:
            continue
        if found["empty"]:
            yield found.start(), found.start(), False
            yield found.end(), found.end(), True
            continue
        ends = found["end"] or found["kimi"] or found["square"] or found["gemma"]
        yield found.start(), found.end(), bool(ends) or (found["mark"] or "")[:1] in ("/", "e", "E")


def _of_tags(text: str) -> tuple[str, str, bool]:
    said: list[str] = []
    thought: list[str] = []
    place, depth, last_close = 0, 0, -1
    opened = 0
    for start, end, closes in _tags(text):
        if not closes:
            if depth == 0:
                said.append(text[place:start])
                opened, last_close = end, -1
            depth += 1
            continue
        if depth == 0:  # what came before stood behind an opening tag in the prompt
            thought += [*said, text[place:start]]
            said = []
            place = end
            continue
        depth -= 1
        last_close = end
        if depth == 0:
            thought.append(text[opened:start])
            place = end
    closed = depth == 0
    if closed:
        said.append(text[place:])
    elif last_close >= 0:  # a tag was spoken of within the block, which ends with the last one
        thought.append(text[opened:last_close])
        said.append(text[last_close:])
        closed = True
    else:
        thought += [*said, text[opened:]]
        said = []
    inner = (_TAG.sub("", one).strip() for one in thought)
    return "".join(said).strip(), "\n\n".join(one for one in inner if one), closed

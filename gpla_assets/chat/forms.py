"""What each role's reply is asked to look like: models, and their JSON schemas for an endpoint.

Endpoints that take a schema hold the LLM to it (strict mode: all keys required, no others). Replies
are still read by `replies`, not validated by these models: of a reply that other endpoints give in
part, in prose or with numbers as text, a validation would keep nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Form(BaseModel):
    """A JSON object with these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class PerceptionForm(Form):
    """An attitude of a text."""

    perception: str
    quote: str


class PerceptionsForm(Form):
    """M_P's reply."""

    perceptions: list[PerceptionForm]


class ValueForm(Form):
    """A value that a statement speaks to."""

    value: str
    strength: Share


class ValuesForm(Form):
    """M_G's reply."""

    values: list[ValueForm]


class JudgementForm(Form):
    """How a statement stands towards the value of number `n`."""

    n: int
    relevance: Share
    support: Share
    oppose: Share
    either: Share


class JudgementsForm(Form):
    """M_E's reply."""

    judgements: list[JudgementForm]


class NameForm(Form):
    """The name of the factor of number `n`."""

    n: int
    name: str


class NamesForm(Form):
    """The namer's reply."""

    names: list[NameForm]


class VerdictForm(Form):
    """Which of two responses is better."""

    better: Literal["A", "B", "tie"]


class VerdictsForm(Form):
    """The judge's reply."""

    verdicts: list[VerdictForm]


class QuestionForm(Form):
    """The reply of whoever writes questions."""

    question: str


def reply_schema(form: type[Form]) -> dict[str, object]:
    """The JSON schema of a form without references, titles and descriptions.

    The keys of replies that are kept (`cache.request_key`) are made with it: what is said about a
    form must not change them.
    """
    schema = form.model_json_schema()
    found = _bare(schema, schema.get("$defs", {}))
    assert isinstance(found, dict)
    return found


def _bare(node: object, definitions: Mapping[str, object]) -> object:
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _bare(definitions[node["$ref"].rpartition("/")[2]], definitions)
    kept = {key: one for key, one in node.items() if key not in ("$defs", "title", "description")}
    for key in ("items", "additionalProperties"):
        if key in kept:
            kept[key] = _bare(kept[key], definitions)
    if "properties" in kept:
        kept["properties"] = {
            name: _bare(one, definitions) for name, one in kept["properties"].items()
        }
    return kept

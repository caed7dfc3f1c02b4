"""The forms of replies: their schemas, the prompts' own examples, and the keys of kept replies."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gpla_assets.chat.cache import request_key
from gpla_assets.chat.forms import (
    Form,
    JudgementsForm,
    NamesForm,
    PerceptionsForm,
    QuestionForm,
    ValuesForm,
    VerdictsForm,
    reply_schema,
)
from gpla_assets.chat.prompts import PROMPTS, Role
from gpla_assets.chat.protocol import ChatReply, ChatRequest, Message
from gpla_assets.chat.replies import read_items

FORMS: dict[Role, type[Form]] = {
    "parser": PerceptionsForm,
    "generator": ValuesForm,
    "evaluator": JudgementsForm,
    "namer": NamesForm,
    "judge": VerdictsForm,
    "question": QuestionForm,
}
KEYS = {
    "parser": "4816ec22ef1ce530cf9c860fb22a0a66653491f1ae2dd667925014e752a8363a",
    "generator": "8c6330d75dcbb0a2173cd414ec495dd6433a40ce69e5b4fde65979ab87334422",
    "evaluator": "547879d7995a814ccc9918a62c3847da8f05a6ccb9a8b4800d655644eeec21fc",
    "namer": "49e662d64938aa33fba6541c6e5e7f637621b53196567ef04b374b178506d41a",
    "judge": "2cd84dc5cd8d28f115848b7859c9ad03b819f397a6fe8e976b84c712585b3ac6",
    "question": "5ebc6d445a83692c7603e9148cd43c9bd14f3a767df88feb55c0342e6b48c56d",
}
"""Of REQUEST with each role's schema, before the schemas came from models (commit 3c662ab)."""


def request(schema: dict[str, Any]) -> ChatRequest:
    return ChatRequest((Message("user", "Hello"),), 100, 0.0, seed=3, schema=schema)


@pytest.mark.parametrize("role", FORMS)
def test_a_reply_that_was_kept_is_found_again(role: Role) -> None:
    asked = request(PROMPTS[role, "1"].schema)
    assert request_key("openai", "http://127.0.0.1:8000/v1", "m", None, asked) == KEYS[role]


@pytest.mark.parametrize("role", FORMS)
def test_schemas_are_what_strict_mode_takes(role: Role) -> None:
    schema = PROMPTS[role, "1"].schema
    assert schema == reply_schema(FORMS[role])

    def check(node: dict[str, Any]) -> None:
        assert not {"$ref", "$defs", "title", "description", "default"} & set(node)
        if node["type"] == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])
            for one in node["properties"].values():
                check(one)
        if node["type"] == "array":
            check(node["items"])

    check(schema)


@pytest.mark.parametrize("role", FORMS)
def test_the_example_in_a_prompt_has_the_form_that_is_asked_for(role: Role) -> None:
    prompt = PROMPTS[role, "1"]
    start = prompt.system.index(f'{{"{prompt.key}"')
    example, _ = json.JSONDecoder().raw_decode(prompt.system, start)
    FORMS[role].model_validate(example)
    with pytest.raises(ValidationError):
        FORMS[role].model_validate({**example, "more": 1})


def test_reading_keeps_what_validation_would_lose() -> None:
    said = '{"judgements": [{"n": "1", "relevance": "90%", "support": 0.9}]}'
    with pytest.raises(ValidationError):
        JudgementsForm.model_validate_json(said)
    reply = ChatReply(said, "stop")
    assert read_items(reply, "judgements").items == json.loads(said)["judgements"]

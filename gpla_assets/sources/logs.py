"""Logs of evaluation programs and endpoints: Inspect, lm-evaluation-harness, HELM, OpenAI ...

Each reader gives the records of one document; `gpla_assets.sources.formats` says which reads what.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from gpla_assets.sources.records import (
    ERROR,
    INVALIDATED,
    MULTIPLE_CHOICE,
    NO_CHOICE,
    Fields,
    Record,
    conversation,
    fields,
    items,
    named,
    of_choices,
    prompted,
)
from gpla_assets.sources.said import blank

ATTACHED = "attachment://"
NOBODY = "none/none"
OF_DOCS = ("question", "prompt", "instruction", "input", "text", "query")
"""Fields in which tasks of lm-evaluation-harness hold what is asked."""


def inspect_samples(log: Fields) -> Iterator[Record]:
    """Inspect's log as one object: what each sample's first choice says, in each epoch."""
    llm = inspect_llm(fields(log.get("eval")))
    for sample in items(log.get("samples")):
        yield inspect_sample(fields(sample), llm)


def inspect_llm(header: Fields) -> str | None:
    """The model of a log's header; where it runs on roles, the one that is the target."""
    model = named(header.get("model"))
    if model in (None, NOBODY):
        roles = fields(header.get("model_roles"))
        role = fields(roles.get("target") or next(iter(roles.values()), None))
        return named(role.get("model")) or None
    return model


def inspect_sample(sample: Fields, llm: str | None) -> Record:
    """One sample of an Inspect log."""
    output, attachments = fields(sample.get("output")), fields(sample.get("attachments"))
    if attachments:
        sample = {**sample, "input": _attached(sample.get("input"), attachments)}
        output = fields(_attached(output, attachments))
        messages = _attached(sample.get("messages"), attachments)
    else:
        messages = sample.get("messages")
    system, asked, _ = conversation(messages)
    _, question = prompted(sample.get("input"))
    identity = fields(sample.get("metadata")).get("question_id", sample.get("id"))
    profile = named(fields(sample.get("metadata")).get("profile"))
    record = Record(
        llm=llm or named(output.get("model")),
        question=question or asked,
        question_id=named(identity),
        sample=sample.get("epoch"),
        profile=profile,
        system=None if profile else system,
    )
    choices = items(output.get("choices"))
    if not blank(sample.get("error")) or not blank(output.get("error")):
        record.skip = ERROR
    elif not blank(sample.get("invalidation")):
        record.skip = INVALIDATED
    elif not blank(sample.get("choices")):
        record.skip = MULTIPLE_CHOICE
    elif not choices:
        record.skip = NO_CHOICE
    else:
        record.content = choices[0]
    return record


def _attached(value: object, attachments: Fields) -> object:
    if isinstance(value, str) and value.startswith(ATTACHED):
        return attachments.get(value.removeprefix(ATTACHED), value)
    if isinstance(value, list):
        return [_attached(one, attachments) for one in value]
    if isinstance(value, Mapping):
        return {name: _attached(one, attachments) for name, one in value.items()}
    return value


def inspect_archive(path: Path) -> Iterator[Record]:
    """Inspect's `.eval`: a ZIP, by now packed with Zstandard, of a header and a file a sample."""
    import zipfile_zstd  # noqa: F401  # it teaches zipfile to read Zstandard

    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        # after a crash there is no header, only how it began
        begun = next((n for n in ("header.json", "_journal/start.json") if n in names), None)
        header = fields(json.loads(archive.read(begun))) if begun else {}
        llm = inspect_llm(fields(header.get("eval")))
        for name in names:
            if name.startswith("samples/") and name.endswith(".json"):
                yield inspect_sample(fields(json.loads(archive.read(name))), llm)


def harness_rows(rows: list[Fields], llm: str | None) -> Iterator[Record]:
    """lm-evaluation-harness' samples: a row a document and filter, replies by request and repeat.

    The same replies stand once for each filter: the first of a document counts.
    """
    seen: set[tuple[object, str]] = set()
    for row in rows:
        key = (row.get("doc_id"), json.dumps(row.get("resps"), sort_keys=True, default=str))
        if not blank(row.get("doc_id")) and key in seen:
            continue
        seen.add(key)
        system, question = prompted(_harness_prompt(row))
        known = Record(
            llm=named(row.get("model")) or llm,
            question=question,
            question_id=named(row.get("question_id")),
            system=system,
        )
        requests = items(row.get("resps"))
        if not requests:
            yield replace(known, skip=NO_CHOICE)
        for request in requests:
            replies = items(request) or [request]
            for place, reply in enumerate(replies, start=1):
                if _log_likelihood(reply) or _log_likelihood(replies):
                    yield replace(known, skip=MULTIPLE_CHOICE)
                    break
                yield replace(known, content=reply, sample=place if len(replies) > 1 else None)


def _log_likelihood(reply: object) -> bool:
    pair = items(reply)
    return len(pair) == 2 and str(pair[1]) in ("True", "False")


def _harness_prompt(row: Fields) -> object:
    for name in ("question", "prompt"):
        if not blank(row.get(name)):
            return row[name]
    arguments = row.get("arguments")
    first = fields(arguments).get("gen_args_0", arguments)
    prompt = fields(first).get("arg_0") if fields(first) else None
    if prompt is None and items(first):
        prompt = items(first)[0]
        prompt = items(prompt)[0] if items(prompt) else prompt
    own = fields(row.get("doc"))
    asked = next((own[name] for name in OF_DOCS if not blank(own.get(name))), None)
    # a chat template, or examples, may stand around what is asked
    whole = isinstance(prompt, str) and isinstance(asked, str) and asked.strip() in prompt
    return asked if prompt is None or whole else prompt


def helm_state(state: Fields) -> Iterator[Record]:
    """HELM's scenario_state.json: replies to the instances as they are, first train trial."""
    llm = named(fields(state.get("adapter_spec")).get("model"))
    for one in map(fields, items(state.get("request_states"))):
        request, result = fields(one.get("request")), fields(one.get("result"))
        instance = fields(one.get("instance"))
        asked = fields(instance.get("input"))
        system, question = prompted(request.get("messages") or asked.get("messages"))
        record = Record(
            llm=llm or named(request.get("model")),
            question=question or named(asked.get("text")) or named(request.get("prompt")),
            question_id=named(instance.get("id")),
            system=system,
        )
        own_way = one.get("request_mode") not in (None, "original")
        if one.get("reference_index") is not None or own_way:
            yield replace(record, skip=MULTIPLE_CHOICE)
        elif instance.get("perturbation") is not None:
            yield replace(record, skip="perturbed")
        elif result.get("success") is False:
            yield replace(record, skip=ERROR)
        else:
            yield from _completions(record, items(result.get("completions")))


def _completions(record: Record, found: object) -> Iterator[Record]:
    replies = [fields(one) for one in items(found)]
    if not replies:
        yield replace(record, skip=NO_CHOICE)
    for place, one in enumerate(replies, start=1):
        yield replace(
            record,
            content=one.get("text"),
            reasoning=fields(one.get("thinking")).get("text"),
            finish=one.get("finish_reason"),
            sample=place if len(replies) > 1 else None,
        )


def promptfoo_results(found: Fields) -> Iterator[Record]:
    """promptfoo's results: an output a prompt, provider and set of variables."""
    results = found.get("results")
    for one in map(fields, items(fields(results).get("results") or results)):
        provider = one.get("provider")
        reply = fields(one.get("response"))
        system, question = prompted(fields(one.get("prompt")).get("raw", one.get("prompt")))
        failed = not blank(one.get("error") or reply.get("error")) and blank(reply.get("output"))
        yield Record(
            content=reply.get("output"),
            llm=named(fields(provider).get("id", provider)),
            question=question,
            system=system,
            finish=reply.get("finishReason"),
            skip=ERROR if failed else None,
        )


def batch_requests(rows: list[Fields]) -> dict[str, Fields]:
    """Requests of a batch by their id: what a batch's results answer."""
    return {
        str(row["custom_id"]): fields(row.get("body") or row.get("params"))
        for row in rows
        if row.get("custom_id") and (row.get("body") or row.get("params"))
    }


def batch_results(rows: list[Fields], requests: Mapping[str, Fields]) -> Iterator[Record]:
    """Results of a batch of OpenAI's or Anthropic's kind; the questions are in its requests."""
    for row in rows:
        name = str(row.get("custom_id"))
        asked = requests.get(name, {})
        system, question = prompted(asked.get("messages") or asked.get("input"))
        known = {
            "llm": named(asked.get("model")),
            "question": question,
            "question_id": name,
            "system": system or named(asked.get("system")),
        }
        response, result = fields(row.get("response")), fields(row.get("result"))
        body = fields(response.get("body") or result.get("message"))
        known["llm"] = known["llm"] or named(body.get("model"))
        status = response.get("status_code", 200)
        failed = (
            not blank(row.get("error"))
            or not body
            or result.get("type", "succeeded") != ("succeeded")
        )
        if failed or (isinstance(status, int) and status >= 400):
            yield Record(skip=ERROR, **known)
        elif "choices" in body:
            yield from of_choices(body["choices"], **known)
        else:
            yield Record(body, **known)


def completions(rows: list[Fields]) -> Iterator[Record]:
    """Replies of OpenAI's endpoint as they came, with the request beside them if it was kept."""
    for row in rows:
        reply = fields(row.get("response")) or row
        request = fields(row.get("request")) or row
        system, question = prompted(
            request.get("messages") or request.get("prompt") or request.get("question")
        )
        yield from of_choices(
            reply.get("choices"),
            llm=named(row.get("llm")) or named(reply.get("model")) or named(request.get("model")),
            question=question,
            question_id=named(row.get("question_id")),
            system=system,
        )


def transcripts(rows: list[Fields]) -> Iterator[Record]:
    """Scout's and Docent's transcripts: a conversation a row."""
    for row in rows:
        messages = row.get("messages")
        try:
            messages = json.loads(messages) if isinstance(messages, str) else messages
        except ValueError:
            messages = None
        if hasattr(messages, "tolist"):
            messages = messages.tolist()
        system, question, reply = conversation(messages)
        yield Record(
            content=reply,
            llm=named(row.get("model")),
            question=question,
            question_id=named(row.get("task_id")),
            sample=row.get("task_repeat"),
            system=system,
            skip=ERROR if not blank(row.get("error")) else None,
        )

"""What was said: reasoning and refusals apart, wrappings off, languages told."""

from __future__ import annotations

import pytest

from gpla_assets.common.texts import mended
from gpla_assets.sources.languages import language_of
from gpla_assets.sources.reasoning import split_reasoning
from gpla_assets.sources.refusals import refuses
from gpla_assets.sources.said import heard, said, several
from gpla_assets.sources.unwrapping import unwrapped


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("Yes.", "Yes.", ""),
        ("<think>\nHm.\n</think>\n\nYes.", "Yes.", "Hm."),
        ("<think>One.</think>Yes. <think>Two.</think>No.", "Yes. No.", "One.\n\nTwo."),
        ("◁think▷Hm.◁/think▷Yes.", "Yes.", "Hm."),
        ("<Reasoning>Hm.</Reasoning>Yes.", "Yes.", "Hm."),
        ('<THINKING effort="high">Hm.</THINKING >Yes.', "Yes.", "Hm."),
        ("[THINK]Hm.[/THINK]Yes.", "Yes.", "Hm."),
        ("<seed:think>Hm.</seed:think>Yes.", "Yes.", "Hm."),
        ("<|begin_of_thought|>Hm.<|end_of_thought|>Yes.", "Yes.", "Hm."),
        ("&lt;think&gt;Hm.&lt;/think&gt;Yes.", "Yes.", "Hm."),
        ("<unused94>thought\nHm.<unused95>Yes.", "Yes.", "Hm."),
        ("<|im_start|>assistant\n<think>Hm.</think>\nYes.<|im_end|>\n<|endoftext|>", "Yes.", "Hm."),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nYes.<|eot_id|>", "Yes.", ""),
        ("<s> Yes.</s>", "Yes.", ""),
        ("<start_of_turn>model\nYes.<end_of_turn>\n", "Yes.", ""),
        ("I said <s>no</s> yes.", "I said <s>no</s> yes.", ""),
        ("<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Yes.<|END_RESPONSE|>",
         "Yes.", "Hm."),
        ('<details type="reasoning" done="true"><summary>Thought</summary>Hm.</details>Yes.',
         "Yes.", "Hm."),
        ("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
         "Yes.", "Hm."),
        ("analysisHm, lies.assistantfinalYes.", "Yes.", "Hm, lies."),
        # the opening tag stood in the prompt
        ("Okay, so.</think>Yes.", "Yes.", "Okay, so."),
        ("<think>a<think>b</think>c</think>Yes.", "Yes.", "abc"),
        ("<think>Hm, and <think> again.</think>Yes.", "Yes.", "Hm, and  again."),
        ("<think></think>Yes.", "Yes.", ""),
        ("<think/>Yes.", "Yes.", ""),
        ("I think > you, 1 < 2", "I think > you, 1 < 2", ""),
        ("The tag `<think>` is not used here.", "The tag `<think>` is not used here.", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_reasoning_is_set_apart(text: str, answer: str, reasoning: str) -> None:
    assert split_reasoning(text) == (answer, reasoning, False)


@pytest.mark.parametrize(
    "text",
    [
        "<think>Hm, and then",
        "Sure. <think>Hm",
        "<|channel|>analysis<|message|>Hm",
        "<think>One.</think>Yes. <THINK>Hm",
        "[THINK]Hm",
    ],
)
def test_reasoning_that_never_ends_leaves_no_answer(text: str) -> None:
    answer, reasoning, unclosed = split_reasoning(text)
    assert (answer, unclosed) == ("", True)
    assert "Hm" in reasoning


@pytest.mark.parametrize(
    "text",
    [
        "```\nBe kind.\n```",
        "```markdown\nBe kind.\n```",
        "~~~\nBe kind.\n~~~",
        "<answer>Be kind.</answer>",
        "<p>Be kind.</p>",
        "\\boxed{Be kind.}",
        "$\\boxed{\\text{Be kind.}}$",
        '{"answer": "Be kind."}',
        '{"response": "Be kind.", "confidence": 0.9}',
        '"Be kind."',
        '["Be kind."]',
        '```json\n{"text": "Be kind."}\n```',
        "<answer>\n```\nBe kind.\n```\n</answer>",
    ],
)
def test_a_wrapping_of_the_whole_answer_is_taken_off(text: str) -> None:
    assert unwrapped(text) == ("Be kind.", "")


@pytest.mark.parametrize(
    "text",
    [
        "Use this:\n```\nprint(1)\n```",
        "```python\nprint(1)\n```",
        '{"name": "Be kind.", "reason": "It helps."}',
        "\\boxed{A} and \\boxed{B}",
        "[see the list]",
        "{a, b}",
    ],
)
def test_what_is_no_wrapping_stays(text: str) -> None:
    assert unwrapped(text) == (text, "")


def test_paragraphs_of_html_become_lines() -> None:
    assert unwrapped("<p>Be kind &amp; brave.</p>\n<p>Always.<br/>So.</p>")[0] == (
        "Be kind & brave.\n\nAlways.\nSo."
    )


@pytest.mark.parametrize(
    ("content", "answer", "reasoning", "refused", "finish"),
    [
        ([{"type": "text", "text": "Be kind."}], "Be kind.", "", False, None),
        ([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Be kind."}],
         "Be kind.", "Hm.", False, None),
        ([{"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "Be kind."}],
         "Be kind.", "Hm.", False, None),
        ([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
          {"type": "message", "content": [{"type": "output_text", "text": "Be kind."}]}],
         "Be kind.", "Hm.", False, None),
        ({"choices": [{"finish_reason": "stop", "message": {"content": "Be kind."}}]},
         "Be kind.", "", False, "stop"),
        ({"message": {"content": "Be kind.", "reasoning": "Hm."}, "finish_reason": "length"},
         "Be kind.", "Hm.", False, "length"),
        ({"message": {"content": None, "refusal": "I won't."}}, "I won't.", "", True, None),
        ({"content": [{"type": "text", "text": "Be kind."}], "stop_reason": "end_turn"},
         "Be kind.", "", False, "stop"),
        ({"message": {"content": ""}, "finish_reason": "content_filter"},
         "", "", True, "content_filter"),
        ([{"type": "text", "text": "No.", "refusal": True}], "No.", "", True, None),
        ({"parts": [{"text": "Hm.", "thought": True}, {"text": "Be kind."}]},
         "Be kind.", "Hm.", False, None),
        ('[{"type": "text", "text": "Be kind."}]', "Be kind.", "", False, None),
        ("[{'type': 'text', 'text': 'Be kind.'}]", "Be kind.", "", False, None),
        ('{"reasoning": "Hm.", "answer": "Be kind."}', "Be kind.", "Hm.", False, None),
        ("<think>Hm.</think><answer>Be kind.</answer>", "Be kind.", "Hm.", False, None),
    ],
)  # fmt: skip
def test_every_form_of_a_reply_is_read(
    content: object, answer: str, reasoning: str, refused: bool, finish: str | None
) -> None:
    found = said(content)
    assert (found.answer, found.reasoning, found.refused, found.finish) == (
        answer, reasoning, refused, finish,
    )  # fmt: skip


@pytest.mark.parametrize("content", [None, "", "  ", float("nan"), "nan", [], {}, [None]])
def test_nothing_is_empty(content: object) -> None:
    assert said(content).problem == "empty"


def test_a_cell_may_hold_several_replies() -> None:
    assert several([["Be kind.", "Be brave."]]) == ["Be kind.", "Be brave."]
    choices = [{"message": {"content": "a"}}, {"message": {"content": "b"}}]
    assert several({"choices": choices}) == choices
    assert several(["Be kind."]) == ["Be kind."]


def test_what_no_text_can_hold_is_mended_and_told() -> None:
    assert said("kind \ud83d").answer == "kind \ufffd" and said("kind \ud83d").mended
    assert mended("a\x00b") == ("a\ufffdb", True)
    assert mended("\ud83d\ude00") == ("\U0001f600", True)
    assert mended("plain 😀") == ("plain 😀", False)


def test_an_endpoints_reasoning_and_refusal_are_heard() -> None:
    assert heard({"content": "Yes.", "reasoning_content": "Hm.", "reasoning": "Hm."}) == (
        "Yes.", "Hm.", False,
    )  # fmt: skip
    assert heard({"content": None, "refusal": "No."}) == ("No.", "", True)
    with pytest.raises(ValueError, match="a message is str"):
        heard("Yes.")


REFUSED = """I'm sorry, but I can't help with that.
As an AI language model, I do not have personal opinions or values.
I cannot assist with that request.
I can’t write that speech.
I won't help you with this.
I'm not able to provide that information.
I must decline to answer this question.
I apologize, but I don't feel comfortable writing content that attacks a group.
I'm unable to fulfill this request. Creating content that promotes hatred is harmful.
I'd prefer not to share an opinion on that.
I cannot and will not write this.
As an AI, I don't have personal feelings or beliefs, so I cannot answer that.
I can't assist.
I'm just a language model, so I can't help you with that.
I refuse to write this.
I would rather not say.
This request violates my guidelines.
I don't have opinions. Is there anything else I can help you with?
I cannot discuss this topic. Let's talk about something else.
I do not create content about real leaders. I aim to be helpful.
Sorry, but that's not something I can do.
Lo siento, pero no puedo ayudar con eso.
很抱歉，我无法回答这个问题。
Es tut mir leid, aber ich kann dabei nicht helfen.
申し訳ありませんが、お答えできません。""".splitlines()
ANSWERED = """I can't stand lies.
I won't betray a friend.
I cannot imagine life without music.
I refuse to lie to the people I love.
I refuse to give up on people.
I'm sorry to hear that you feel this way. Honesty matters.
I will not compromise on honesty.
I do not have patience for dishonesty.
As an AI I have no feelings, but honesty matters deeply in every relationship.
As an AI, I don't have experiences. However, honesty builds trust. I'd tell the truth kindly.
No.
I can't help but admire courage.
I cannot help feeling that kindness is undervalued.
I don't have many possessions, and I value simplicity.
I aim to be honest.
Honesty is essential. I can't lie.
I cannot support violence.
I would not give up my freedom for money.
I will not write off people who fail.
I won't share secrets that my friends told me.
I don't engage in gossip because it harms people.
I can't say that wealth matters to me.
I do not take honesty for granted.
Sorry is a word I say often because I value peace.
I don't have a preference for money; I prefer time with family.""".splitlines()


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_is_told_by_its_wording(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize("text", ANSWERED)
def test_saying_no_to_something_else_is_an_answer(text: str) -> None:
    assert not refuses(text)


def test_a_long_text_that_begins_with_a_refusal_answers() -> None:
    begins = "I can't pick a side here. "
    assert not refuses(
        begins + "Here is what each side says:\n1. Freedom matters.\n2. So does order."
    )
    assert not refuses(begins + "Honesty matters. " * 100)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I believe that honesty matters.", "en"),
        ("Kindness beats cleverness every single time", "en"),
        ("我认为诚实非常重要，我们应该尊重他人。", "zh"),
        ("أعتقد أن الصدق مهم جدا.", "ar"),
        ("Creo que la honestidad es muy importante.", "es"),
        ("Ich denke, Ehrlichkeit ist wichtig.", "de"),
        ("Je pense que l'honnêteté est essentielle.", "fr"),
        ("1234", None),
        ("lol ok", None),
    ],
)
def test_a_language_is_told_where_it_can_be(text: str, code: str | None) -> None:
    assert language_of(text) == code

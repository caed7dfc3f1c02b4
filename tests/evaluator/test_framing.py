"""What only affirms or denies a statement, and what merely looks like it."""

import pytest

from gpla_assets.evaluator.framing import LAYERS, unframed


@pytest.mark.parametrize(
    ("text", "core", "denied"),
    [
        ("Yes, I strongly believe that honesty matters.", "Honesty matters.", False),
        ("I believe honesty matters.", "Honesty matters.", False),
        ("I think it's important to be kind.", "It's important to be kind.", False),
        ("No, you should not lie.", "You should not lie.", False),
        ("In my humble opinion, rules bind us.", "Rules bind us.", False),
        ("If you ask me, rules bind us.", "Rules bind us.", False),
        ("Absolutely! Rules bind us.", "Rules bind us.", False),
        ("There is no doubt in my mind that rules bind us.", "Rules bind us.", False),
        ("I do not believe that rules bind us.", "Rules bind us.", True),
        ("I don\u2019t think we should lie.", "We should lie.", True),
        ("Personally, I doubt that rules bind us.", "Rules bind us.", True),
        (
            "I must respectfully disagree with the notion that rules bind us.",
            "Rules bind us.",
            True,
        ),
        ("It is simply not true that rules bind us.", "Rules bind us.", True),
        ("I refuse to accept that rules bind us.", "Rules bind us.", True),
        ("It would be a mistake to say that rules bind us.", "Rules bind us.", True),
    ],
)
def test_what_affirms_or_denies_is_taken_off(text: str, core: str, denied: bool) -> None:
    found = unframed(text)
    assert (found.text, found.denied) == (core, denied)


def test_to_deny_a_denial_affirms() -> None:
    found = unframed("I do not think that it is false that rules bind us.")
    assert (found.text, found.denied) == ("Rules bind us.", False)


@pytest.mark.parametrize(
    "text",
    [
        "I believe in God.",
        "I believe you.",
        "I think of others first.",
        "I think the world of my family.",
        "I feel guilty.",
        "I don't think so.",
        "I can't believe that he did it.",
        "I hardly believe that it helps.",
        "I do not doubt that it helps.",
        "It is wrong to lie.",
        "Certainly, yes.",
        "",
    ],
)
def test_a_statement_of_its_own_stays(text: str) -> None:
    assert unframed(text).text == text
    assert not unframed(text).denied


def test_a_megabyte_of_frames_is_taken_off_a_few_layers_deep() -> None:
    text = "Yes, " * 200_000
    assert unframed(text).text == text[LAYERS * len("Yes, ") :]
    adverbs = "I " + "really " * 150_000 + "x"
    assert unframed(adverbs).text == adverbs

"""Tiny models of random weights with real tokenizers, on disk as hub models are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

LINES = [
    "[Generate]: [Relevance]: [Valence]: Action: Value: Yes No Supports Opposes Either",
    "[Task] Given a sentence and a value, determine whether it is relevant. Sentence: Output:",
    "yes no support oppose either Honest people tell the truth and keep their word.",
    "Rules should be obeyed, and freedom is worth more than comfort. Kindness Respect Safety",
]
PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
ANSWERS = ("yes", "no", "support", "oppose", "either", "Yes", "No", "Supports", "Opposes", "Either")


def byte_tokenizer(ends: bool, words: Sequence[str] = ANSWERS, template: str | None = None) -> Any:
    """Byte-level BPE trained on LINES, with `words` as tokens of their own.

    `ends` appends the end token to texts, as T5's does; `template` is a chat template.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [PAD, END, UNKNOWN]
    made.train_from_iterator(
        [*LINES, *[word for word in words for _ in range(50)]],
        trainers.BpeTrainer(vocab_size=420, special_tokens=special, initial_alphabet=alphabet),
    )
    if ends:
        made.post_processor = processors.TemplateProcessing(
            single=f"$A {END}", special_tokens=[(END, 1)]
        )
    found = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, eos_token=END, unk_token=UNKNOWN
    )
    found.chat_template = template
    return found


def tiny_llama(folder: Path, template: str | None = None, context: int = 512) -> Path:
    """A causal LLM of two layers whose random logits are far enough apart to differ by context."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    tokenizer = byte_tokenizer(ends=False, template=template)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.4,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_beaver(folder: Path) -> Path:
    """A tiny Llama with a score head, as Beaver's checkpoints have one."""
    import torch
    from safetensors.torch import load_file, save_file

    tiny_llama(folder)
    tensors = load_file(folder / "model.safetensors")
    generator = torch.Generator().manual_seed(0)
    tensors["score_head.weight"] = torch.randn(1, 32, generator=generator)
    tensors["score_head.bias"] = torch.tensor([0.5])
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def tiny_t5(folder: Path, **more: Any) -> Path:
    """A sequence-to-sequence model of one layer; `more` goes into its config.json."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(2)
    tokenizer = byte_tokenizer(ends=True)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=1,
        num_heads=2,
        initializer_factor=1.2,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        **more,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_mpnet(folder: Path) -> Path:
    """An encoder of two layers that reads two texts, as all-mpnet-base-v2 does."""
    import torch
    from tokenizers import processors
    from transformers import MPNetConfig, MPNetModel

    torch.manual_seed(3)
    tokenizer = byte_tokenizer(ends=True)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END} $A {END}",
        pair=f"{END} $A {END} {END} $B {END}",
        special_tokens=[(END, 1)],
    )
    config = MPNetConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=200,
        pad_token_id=0,
        initializer_range=0.2,
    )
    MPNetModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

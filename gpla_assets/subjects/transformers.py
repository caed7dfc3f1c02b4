"""A subject that runs in this process: any causal LLM that transformers can load.

Decoding is greedy (point 8), or draws by seeds of its own: a rerun gives the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gpla_assets.embedding.local_weights import Loaded, LocalWeights
from gpla_assets.sources.said import Said, said
from gpla_assets.studies import SubjectSource


class TransformersSubject:
    """Answers under a system prompt; where a model has none, the prompt goes before the question.

    `inferences` counts answers generated.
    """

    name = "transformers"

    def __init__(self, model: str, settings: SubjectSource, seed: int = 0) -> None:
        self.weights = LocalWeights.of(settings.model_copy(update={"model": model}), model)
        self.model = model
        self.max_new_tokens, self.temperature = settings.max_new_tokens, settings.temperature
        self.seed = seed
        self.inferences = 0
        self._loaded: Loaded | None = None

    @property
    def has_system_role(self) -> bool:
        """Whether the model's chat template takes a system message."""
        return "system" in (self._load().tokenizer.chat_template or "")

    def answer(
        self,
        system_prompt: str,
        questions: Sequence[str],
        progress: Callable[[int], None] = lambda count: None,
        sample: int = 0,
    ) -> list[Said]:
        """One answer per question, in order; `progress` is told how many were finished.

        Raises BackendUnavailable where the model cannot run.
        """
        answers: list[Said] = []
        size = self.weights.batch_size
        for first in range(0, len(questions), size):
            batch = list(questions[first : first + size])
            prompts = [self.prompt(system_prompt, one) for one in batch]
            answers += [said(text) for text in self._generate(prompts, sample)]
            self.inferences += len(batch)
            progress(len(batch))
        return answers

    def prompt(self, system_prompt: str, question: str) -> str:
        """The text that the model completes."""
        tokenizer = self._load().tokenizer
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

    def _generate(self, prompts: list[str], sample: int) -> list[str]:
        import torch

        from gpla_assets.chat.transformers_chat import draws, seed_of

        tokenizer, model = self._load().tokenizer, self._load().model
        batch = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        rows = [(self.temperature, seed_of(self.seed, sample, text)) for text in prompts]
        with torch.inference_mode():
            generated = model.generate(
                **batch.to(model.device),
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                pad_token_id=self._load().pad,
                logits_processor=draws(rows),
            )
        new = generated[:, batch["input_ids"].shape[1] :]
        return [text.strip() for text in tokenizer.batch_decode(new, skip_special_tokens=True)]

    def _load(self) -> Loaded:
        if self._loaded is None:
            self._loaded = self.weights.load("causal")
            self._loaded.tokenizer.padding_side = "left"
        return self._loaded

"""Whether a backend can run on this machine, without loading it."""

from __future__ import annotations

from gpla_assets.agents.backends import PUBLISHED
from gpla_assets.common.errors import BackendUnavailable, UnknownBackend
from gpla_assets.embedding.packaged import base_model, packaged_file, packaged_model
from gpla_assets.studies import Evaluator, Model
from gpla_assets.studies.settings import DEVICE


def check_backend(role: str, settings: Model, llm: str | None = None) -> str:
    """What a backend would run, without loading it; raises BackendUnavailable or UnknownBackend."""
    backend, model = settings.backend, llm or settings.model
    if backend == "embedded":
        accurate = isinstance(settings, Evaluator) and settings.mode == "accurate"
        more = f", all-mpnet-base-v2 in {base_model()}" if accurate else ""
        return f"all-MiniLM-L6-v2 in {packaged_model()}{more}"
    if settings.asks_endpoint:
        from gpla_assets.chat.endpoint import Endpoint

        own = [(settings.base_url, settings.key_variable)]
        for one in settings.replicas:
            own.append((one.base_url, one.key_variable or settings.key_variable))
        urls = [Endpoint(*place).check() for place in own]
        return f"{model or 'no model named'} at {', '.join(urls)}"
    if backend in PUBLISHED or backend == "transformers":
        return check_weights(model or PUBLISHED.get(backend, ""), settings.device)
    raise UnknownBackend(f"No {role} backend {backend!r}.")


def check_weights(model: str, device: str = DEVICE) -> str:
    """Where the weights of a model lie; raises BackendUnavailable without them or the device."""
    from pathlib import Path

    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    if device != DEVICE:
        from gpla_assets.embedding.local_weights import available_device

        available_device(device)
    file = packaged_file(model)
    if file:
        return str(file)
    if (Path(model) / "config.json").is_file():
        return model
    try:
        if isinstance(try_to_load_from_cache(model, "config.json"), str):
            return f"{model} in the hub's cache"
    except HFValidationError:  # a path, which no name on the hub can be
        raise BackendUnavailable(
            f"Model {model!r} is no folder with a config.json; expected one, or a name on the hub. "
            "A relative folder begins with ./ or ../ and lies beside the study."
        ) from None
    raise BackendUnavailable(
        f"Model {model!r} is no folder with a config.json and not in the hub's cache; download it "
        f"where there is a network: `hf download {model}`."
    )

"""What `gpla benchmark agents` measures; how fast is this machine's affair."""

from __future__ import annotations

import pytest
import torch

from gpla_assets.orchestration.speed import here, speeds


@pytest.mark.slow
def test_every_agent_is_measured_and_the_lack_of_a_gpu_is_told() -> None:
    told: list[str] = []
    found = {one.agent: one for one in speeds(8, 3, told.append)}
    names = list(found)
    assert names[:3] == ["M_P embedded", "M_G embedded", "M_E fast"]
    assert names[-1].startswith("a random Llama of ") and len(names) + len(told) == 5
    assert all(one.items > 0 and one.seconds > 0 for one in found.values())
    assert found["M_E fast"].items == 3 * found["M_P embedded"].items
    assert ("No GPU is at hand" in here()) == (not torch.cuda.is_available())
    assert "\n" not in here()

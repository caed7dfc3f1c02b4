"""The page of the Python interface, made of signatures and docstrings."""

from __future__ import annotations

import inspect

import gpla_assets
from gpla_assets.looking import PublishedStudy

HEAD = """# Python

```python
import gpla_assets as gpla

study = gpla.open("demo")
study.profile("SmolLM2-135M-Instruct|Default")
```

Every table is a pandas frame. What is not on this page may change without notice. A notebook that
uses it: [looking.ipynb](../looking.ipynb).
"""


def python_page() -> str:
    """What `gpla_assets` exports, and the methods of an opened study."""
    parts = [HEAD]
    for name in ("open", "value_system"):
        parts.append(_entry(f"gpla.{name}", getattr(gpla_assets, name), "##"))
    parts.append(_entry("gpla.PublishedStudy", PublishedStudy, "##"))
    for name, member in vars(PublishedStudy).items():
        if not name.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property)
        ):
            parts.append(_entry(f"study.{name}", member, "###"))
    parts.append(_entry("gpla.ValueSystem", gpla_assets.ValueSystem, "##"))
    parts.append(
        "## gpla.StructureSettings\n\nThe settings of `value_system`: those of a study under "
        "[structure](settings.md#structure).\n"
    )
    return "\n".join(parts)


def _entry(name: str, member: object, mark: str) -> str:
    told = inspect.getdoc(member) or ""
    plain = member.fget if isinstance(member, property) else member
    assert callable(plain)
    signature = "" if isinstance(member, property) else str(inspect.signature(plain))
    shown = signature.replace("self, ", "").replace("(self)", "()").replace("'", "")
    return f"{mark} {name}\n\n```python\n{name}{shown}\n```\n\n{told}\n"

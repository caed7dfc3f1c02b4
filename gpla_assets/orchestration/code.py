"""What code a step runs: the definitions that its function reaches in the package.

Read from the source, without importing it. From a function every name is followed to its
definition (through imports, also through packages that pass names on), and so on from there. What
counts is the meaning of the source: comments, docstrings, type hints and layout do not. Beside the
code come the package's own files that it names ("vocabulary.csv", "weights.safetensors") and the
libraries that it uses.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

PACKAGE = "gpla_assets"
ROOT = Path(__file__).resolve().parents[1]

MAKES_NO_ROWS: Mapping[str, str] = {
    "cli": "parses arguments and prints",
    "definitions": "gathers what Dagster sees",
    "docs": "says how all of it is used",
    "common.errors": "the base of messages",
    "common.nearest": "names in messages",
    "common.secrets": "what messages leave out",
    "common.visible": "how texts are shown",
    "looking": "shows what the tables hold",
    "orchestration": "decides when a step runs, not what comes of it",
    "report": "draws what the tables hold",
    "storage": "keeps rows as they are",
    "training": "makes the agents that ship; their weights are in the fingerprint themselves",
    "studies": "settings; their values are in the fingerprint themselves",
}
"""Rooms and modules whose change makes no row another, each with the reason."""

LIBRARIES: Mapping[str, str] = {
    "torch": "torch",
    "transformers": "transformers",
    "sentence_transformers": "sentence-transformers",
    "peft": "peft",
    "sklearn": "scikit-learn",
    "scipy": "scipy",
    "statsmodels": "statsmodels",
    "pingouin": "pingouin",
    "rouge_score": "rouge-score",
    "sentencex": "sentencex",
    "vaderSentiment": "vaderSentiment",
    "profanity_check": "alt-profanity-check",
}
"""Modules whose version can change a result, with their distributions. numpy's and pandas' own
operations are stable, and all steps use them: an upgrade of theirs makes nothing stale."""

FILES = (".safetensors", ".csv", ".parquet", ".yaml", ".json")
"""Endings of the package's files that can make a row another."""

Place = tuple[str, str]
"""A module and a name in it; the name is "" for what a module does when it is imported."""


@dataclass
class Module:
    """A module's source by what it defines."""

    name: str
    path: Path
    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Place] = field(default_factory=dict)
    effects: list[ast.stmt] = field(default_factory=list)

    @cached_property
    def is_package(self) -> bool:
        """Whether it is the `__init__` of a folder."""
        return self.path.name == "__init__.py"


@dataclass(frozen=True)
class Reached:
    """What a step runs: digests of the code by module, the package's files, libraries."""

    code: Mapping[str, str]
    files: tuple[str, ...]
    libraries: tuple[str, ...]


def module_path(name: str) -> Path | None:
    """The file of a module of the package; None where there is none."""
    parts = name.split(".")[1:]
    for path in (ROOT.joinpath(*parts, "__init__.py"), ROOT.joinpath(*parts).with_suffix(".py")):
        if path.is_file():
            return path
    return None


def module_names() -> list[str]:
    """All modules of the package."""
    names = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = list(path.relative_to(ROOT).with_suffix("").parts)
        names.append(".".join([PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)]))
    return names


def makes_no_rows(module: str) -> bool:
    """Whether a module is one of those that `MAKES_NO_ROWS` names."""
    inside = module.split(".", 1)[1:]
    parts = inside[0].split(".") if inside else []
    return not parts or any(name in MAKES_NO_ROWS for name in (parts[0], ".".join(parts[:2])))


@lru_cache(maxsize=1)
def _package_files() -> Mapping[str, tuple[str, ...]]:
    """The package's files that are no Python, by name: paths below the package or the checkout."""
    found: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.*")):
        if path.suffix in FILES and path.is_file():
            found.setdefault(path.name, []).append(str(path.relative_to(ROOT)))
    return {name: tuple(paths) for name, paths in found.items()}


class Source:
    """The package's source, read a module at a time as it is reached."""

    def __init__(self) -> None:
        self._modules: dict[str, Module | None] = {}
        self._digests: dict[int, str] = {}

    def module(self, name: str) -> Module | None:
        """A module of the package; None for anything else."""
        if name not in self._modules:
            path = module_path(name) if name.split(".")[0] == PACKAGE else None
            self._modules[name] = _parsed(name, path) if path else None
        return self._modules[name]

    def reached(self, start: Place, chosen: Mapping[Place, str]) -> Reached:
        """What runs from a function on.

        `chosen` names, for tables of backends (a module-level dict), the one entry that runs;
        the other entries are not followed.
        """
        seen: set[Place] = set()
        digests: dict[str, list[str]] = {}
        files: set[str] = set()
        libraries: set[str] = set()
        waiting = [start]
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            library = LIBRARIES.get(place[0].split(".")[0])
            if library:
                libraries.add(library)
            module = self.module(place[0])
            if module is None or makes_no_rows(module.name):
                continue
            # importing a module runs what stands outside its definitions
            waiting.append((module.name, ""))
            nodes = self._nodes(module, place[1], chosen.get(place))
            if nodes is None:
                waiting += self._elsewhere(module, place[1])
                continue
            for node in nodes:
                if _says_nothing(node):
                    continue
                digests.setdefault(module.name, []).append(f"{place[1]} {self._digest(node)}")
                waiting += self._names(module, node)
                files |= set(_files_named(module, node))
        # sorted: moving a definition within its module changes nothing
        code = {name: _hash("\n".join(sorted(set(parts)))) for name, parts in digests.items()}
        return Reached(code, tuple(sorted(files)), tuple(sorted(libraries)))

    def _nodes(self, module: Module, name: str, key: str | None) -> list[ast.AST] | None:
        if name == "":
            return list(module.effects)
        if name not in module.definitions:
            return None
        nodes: list[ast.AST] = list(module.definitions[name])
        if key is None:
            return nodes
        return [entry for node in nodes for entry in _entry(node, key)]

    def _elsewhere(self, module: Module, name: str) -> Iterator[Place]:
        """Where a name that a module does not define comes from."""
        if name in module.imports:
            yield module.imports[name]
        elif self.module(f"{module.name}.{name}") is not None:
            yield from self._whole(f"{module.name}.{name}")

    def _whole(self, name: str) -> Iterator[Place]:
        module = self.module(name)
        if module is not None:
            yield from ((name, one) for one in [*module.definitions, *module.imports])

    def _names(self, module: Module, node: ast.AST) -> Iterator[Place]:
        node = _without_docstrings(node)
        imports = {**module.imports, **_imports(node, module)}
        for child in ast.walk(node):
            if not isinstance(child, ast.Name):
                continue
            if child.id in imports:
                target = imports[child.id]
                if target[1]:
                    yield target
                # of a library the version counts, not which of its names are used
                elif self.module(target[0]) is None:
                    yield (target[0], "")
                else:
                    yield from self._attributes(node, child.id, target[0])
            elif child.id in module.definitions:
                yield (module.name, child.id)
        # a function that imports a library where it needs it
        yield from (place for place in imports.values() if place[0].split(".")[0] in LIBRARIES)

    def _attributes(self, node: ast.AST, name: str, module: str) -> Iterator[Place]:
        for child in ast.walk(node):
            if (
                isinstance(child, ast.Attribute)
                and isinstance(child.value, ast.Name)
                and child.value.id == name
            ):
                yield (module, child.attr)

    def _digest(self, node: ast.AST) -> str:
        if id(node) not in self._digests:
            # unparsed: comments, blanks and line breaks are not in the tree
            self._digests[id(node)] = _hash(ast.unparse(_without_docstrings(node)))
        return self._digests[id(node)]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _parsed(name: str, path: Path) -> Module:
    module = Module(name, path)
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            module.definitions.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for child in ast.walk(target):
                    if isinstance(child, ast.Name):
                        module.definitions.setdefault(child.id, []).append(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module.imports |= _imports(node, module)
        elif _never_runs(node):
            continue
        elif not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            # under `if` and `try`: what it imports is known, what it does counts
            module.imports |= _imports(node, module)
            module.effects.append(node)
    return module


def _never_runs(node: ast.stmt) -> bool:
    """Whether it is `if TYPE_CHECKING`, whose imports serve hints alone."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _imports(node: ast.AST, module: Module) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                bound = alias.asname or alias.name.split(".")[0]
                found[bound] = (alias.name if alias.asname else bound, "")
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                parents = module.name.split(".")
                # one dot is the package's own folder in its `__init__`, and the folder above a
                # module elsewhere
                cut = child.level - 1 if module.is_package else child.level
                base = ".".join([*parents[: len(parents) - cut], *filter(None, [base])])
            for alias in child.names:
                found[alias.asname or alias.name] = (base, alias.name)
    return found


def _entry(node: ast.AST, key: str) -> Iterator[ast.AST]:
    """The value of a key in the dict that an assignment holds; all of it where there is none."""
    value = getattr(node, "value", None)
    if not isinstance(value, ast.Dict):
        yield node
        return
    for name, entry in zip(value.keys, value.values, strict=True):
        if isinstance(name, ast.Constant) and name.value == key:
            yield entry


def _files_named(module: Module, node: ast.AST) -> Iterator[str]:
    """The package's files that a string in the source names, the module's own folder first."""
    known = _package_files()
    folder = str(module.path.parent.relative_to(ROOT))
    for child in ast.walk(_without_docstrings(node)):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            paths = known.get(Path(child.value).name, ()) if "\n" not in child.value else ()
            # a file of the same name in another room is that room's
            own = [path for path in paths if str(Path(path).parent) == folder]
            yield from own or paths


def _says_nothing(node: ast.AST) -> bool:
    """Whether a class has no body, as most errors have: its name and bases change no row."""
    bare = _without_docstrings(node)
    return isinstance(bare, ast.ClassDef) and isinstance(bare.body[0], ast.Pass)


class _Bare(ast.NodeTransformer):
    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for hint in ("annotation", "returns"):
            if getattr(node, hint, None) is not None:
                # an annotated assignment must keep an annotation, whichever
                blank = ast.Constant(None) if isinstance(node, ast.AnnAssign) else None
                setattr(node, hint, blank)
        body = getattr(node, "body", None)
        if isinstance(body, list) and isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module
        ):
            kept = [
                one
                for one in body
                if not (
                    isinstance(one, ast.Expr)
                    and isinstance(one.value, ast.Constant)
                    and isinstance(one.value.value, str)
                )
            ]
            node.body = kept or [ast.Pass()]
        return node


_BARE: dict[int, ast.AST] = {}


def _without_docstrings(node: ast.AST) -> ast.AST:
    """The node without docstrings and type hints; nodes live as long as the process."""
    if id(node) not in _BARE:
        _BARE[id(node)] = _Bare().visit(node)
    return _BARE[id(node)]

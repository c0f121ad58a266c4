"""The sentences the code says to people, read from its syntax tree: refusals, messages of pages, errors of forms, bad rows.

What stands in an f-string is a hole, unless it can only be some words that stand in the code: then each of them makes a sentence
of its own. What is built of values alone, or comes from elsewhere, is not seen; `Said.unseen` lists where that is.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Final

TRANSLATED = {"gettext", "ngettext", "_"}
SPOKEN = {"bad": 4, "BadValue": 1, "Problem": 3, "BadProfile": 0, "add_error": 1, "ValidationError": 0}
"""Calls beside refusals that say a sentence, and where it stands in them."""
MESSAGES = {"success", "error", "warning", "info"}
MOST = 40  # sentences one call may have


@dataclass(frozen=True)
class Hole:
    """A value in a sentence, under the name it has in the code; `field` where it is the word of a choice."""

    name: str
    choice: str = ""


Sentence = tuple[str | Hole, ...]
ANYTHING: Final[Sentence] = (Hole("value"),)
Node = ast.expr


def joined(parts: Iterator[str | Hole] | Sentence) -> Sentence:
    found: list[str | Hole] = []
    for part in parts:
        if part == "":
            continue
        if found and isinstance(part, str) and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return tuple(found)


def speaks(sentence: Sentence) -> bool:
    """Whether it holds words of ours."""
    return any(isinstance(part, str) and any(sign.isalpha() for sign in part) for part in sentence)


def is_choice(found: list[Sentence]) -> bool:
    return all(len(one) == 1 and isinstance(one[0], Hole) and one[0].choice for one in found)


@dataclass
class Module:
    path: Path
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def around(self, node: ast.AST) -> ast.FunctionDef | None:
        while (node := self.parents.get(node)) is not None:  # type: ignore[assignment]
            if isinstance(node, ast.FunctionDef):
                return node
        return None


@dataclass
class Said:
    """What the modules of these folders say."""

    folders: list[Path]
    leave_out: Callable[[Path], bool]
    """Modules whose own sentences do not count; what others say through them does."""
    modules: list[Module] = field(default_factory=list)
    found: dict[Sentence, str] = field(default_factory=dict)
    unseen: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        paths = sorted(
            path for folder in self.folders for path in folder.rglob("*.py") if "migrations" not in path.parts
        )
        self.modules = [Module(path, ast.parse(path.read_text())) for path in paths]
        self.functions: dict[str, list[tuple[Module, ast.FunctionDef]]] = defaultdict(list)
        self.calls: dict[str, list[tuple[Module, ast.Call]]] = defaultdict(list)
        self.constants: dict[str, list[tuple[Module, Node]]] = defaultdict(list)
        for module in self.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.FunctionDef):
                    self.functions[node.name].append((module, node))
                elif isinstance(node, ast.Call) and (name := called(node)):
                    self.calls[name].append((module, node))
            for statement in module.tree.body:
                for name, value in assigned(statement):
                    self.constants[name].append((module, value))
        self.refusals = self._refusals()
        for module in self.modules:
            if not self.leave_out(module.path):
                self._read(module)

    def _refusals(self) -> set[str]:
        known = {"Refusal", "NotUbl"}  # what a rule raises is told by the refusal made of it
        classes = [node for module in self.modules for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]
        while True:
            more = {node.name for node in classes if any(base_name(base) in known for base in node.bases)} - known
            if not more:
                return known
            known |= more

    def _read(self, module: Module) -> None:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and (told := self._told(node)) is not None:
                where = f"{module.path}:{node.lineno}"
                for sentence in self.sentences(told, module, 0, whole=True):
                    if speaks(sentence):
                        self.found.setdefault(sentence, where)
                    elif sentence:
                        said = ast.unparse(told)
                        if module.path.name not in self.unseen[said]:
                            self.unseen[said].append(module.path.name)

    def _told(self, node: ast.Call) -> Node | None:
        name = called(node)
        by_name = {keyword.arg: keyword.value for keyword in node.keywords}
        if name in self.refusals:
            return node.args[0] if node.args else by_name.get("detail")
        if name == "Alert" or name == "keep_alert":
            return by_name.get("title")
        if name in MESSAGES and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "messages":
            return node.args[1]
        if name == "append" and ast.unparse(node.func).rpartition(".")[0].endswith((".notes", ".warnings")):
            return node.args[0]
        if name in SPOKEN and len(node.args) > SPOKEN[name]:
            return node.args[SPOKEN[name]]
        return None

    def sentences(self, node: Node, module: Module, depth: int, *, whole: bool = False) -> list[Sentence]:
        """All that an expression can be: words and holes. An empty one was translated where it was made."""
        if depth > 6:
            return [ANYTHING]
        match node:
            case ast.Constant(value=str(text)):
                return [(text,)]
            case ast.JoinedStr(values=values):
                return self._product([self._part(value, module, depth) for value in values])
            case ast.IfExp(body=body, orelse=orelse):
                return self._all([body, orelse], module, depth, whole)
            case ast.BoolOp(values=values):
                return self._all(values, module, depth, whole)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._product([self.sentences(side, module, depth + 1, whole=whole) for side in (left, right)])
            case ast.BinOp(left=left, op=ast.Mod()) if is_translated(left):
                return [()]
            case ast.Subscript(value=value, slice=ast.Slice()):
                return self.sentences(value, module, depth + 1, whole=whole)
            case ast.Subscript(value=ast.Name(id=name)) if self._words(name):
                return [(word,) for word in self._words(name)]
            case ast.Call():
                return self._call(node, module, depth, whole=whole)
            case ast.Name(id=name):
                return self._name(node, name, module, depth, whole=whole)
            case ast.Dict(values=values) if whole:
                return self._all(values, module, depth, whole)
        return [(hole(node),)]

    def _all(self, nodes: list[Node], module: Module, depth: int, whole: bool) -> list[Sentence]:
        found = [one for node in nodes for one in self.sentences(node, module, depth + 1, whole=whole)]
        return list(dict.fromkeys(found))[:MOST]

    def _product(self, parts: list[list[Sentence]]) -> list[Sentence]:
        found = [joined(part for parts_of in chosen for part in parts_of) for chosen in product(*parts)]
        assert len(found) <= MOST, found[0]
        return found

    def _part(self, node: Node, module: Module, depth: int) -> list[Sentence]:
        """What stands in a pair of braces: its words where it is nothing but words, else a hole."""
        if not isinstance(node, ast.FormattedValue):
            return self.sentences(node, module, depth + 1)
        if node.format_spec is None and node.conversion == -1:
            found = self.sentences(node.value, module, depth + 1)
            if all(speaks(one) or one in ((), ("",), (" ",)) for one in found) and any(map(speaks, found)):
                return found
            if is_choice(found):
                return found
        return [(hole(node.value),)]

    def _call(self, node: ast.Call, module: Module, depth: int, *, whole: bool) -> list[Sentence]:
        name = called(node)
        if is_translated(node) or (name == "format" and is_translated(getattr(node.func, "value", node))):
            return [()]
        if name in self.refusals and whole:
            return [()]  # a refusal in a refusal is read by itself
        if isinstance(node.func, ast.Name) or (isinstance(node.func, ast.Attribute) and is_self(node.func.value)):
            known = [(where, function) for where, function in self.functions[name] if where is module]
            known = known or (self.functions[name] if len(self.functions[name]) == 1 else [])
            found = [
                one
                for where, function in known
                for given in ast.walk(function)
                if isinstance(given, ast.Return) and given.value is not None and where.around(given) is function
                for one in self.sentences(given.value, where, depth + 1, whole=whole)
            ]
            if found and all(speaks(one) or one in ((), ("",)) for one in found):
                return list(dict.fromkeys(found))[:MOST]
        return [(hole(node),)]

    def _words(self, name: str) -> list[str]:
        """The words of a table of words that stands at the top of a module."""
        for _, value in self.constants[name]:
            if isinstance(value, ast.Dict):
                return [
                    one.value for one in value.values if isinstance(one, ast.Constant) and isinstance(one.value, str)
                ]
        return []

    def _name(self, node: Node, name: str, module: Module, depth: int, *, whole: bool) -> list[Sentence]:
        function = module.around(node)
        if function is None or depth > 5:
            return [(hole(node),)]
        given: list[Sentence] = []
        for statement in ast.walk(function):
            for target, value in assigned(statement):
                if target == name:
                    given += self.sentences(value, module, depth + 1, whole=whole)
        arguments = [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
        if not given and name in arguments:
            given = self._given(function, name, module, depth)
        if not given:
            return [(hole(node),)]
        if is_choice(given):
            return given[:1]
        if whole or all(speaks(one) or one in ((), ("",)) for one in given):
            return list(dict.fromkeys(given))[:MOST]
        return [(hole(node),)]

    def _given(self, function: ast.FunctionDef, name: str, module: Module, depth: int) -> list[Sentence]:
        """What callers give for an argument."""
        positional = [one.arg for one in function.args.args if one.arg not in ("self", "cls")]
        found: list[Sentence] = []
        for where, call in self.calls[function.name]:
            if where.path != module.path and function.name.startswith("_"):
                continue
            value = next((one.value for one in call.keywords if one.arg == name), None)
            if value is None and name in positional and positional.index(name) < len(call.args):
                value = call.args[positional.index(name)]
            if value is not None:
                found += self.sentences(value, where, depth + 1, whole=True)
        defaults = dict(zip([one.arg for one in function.args.kwonlyargs], function.args.kw_defaults, strict=True))
        if (default := defaults.get(name)) is not None:
            found += self.sentences(default, module, depth + 1)
        return found


def called(node: ast.Call) -> str:
    return base_name(node.func)


def base_name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def is_translated(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and called(node) in TRANSLATED


def assigned(node: ast.AST) -> Iterator[tuple[str, Node]]:
    """Names and what one statement gives them."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.NamedExpr(target=ast.Name(id=name), value=value)
        ):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=value):
            for choice in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
                if isinstance(choice, ast.Tuple):
                    yield from ((base_name(name), one) for name, one in zip(names, choice.elts, strict=False))
        case ast.For(target=ast.Tuple(elts=names), iter=ast.Tuple(elts=rows) | ast.List(elts=rows)):
            for row in rows:
                if isinstance(row, ast.Tuple):
                    yield from ((base_name(name), one) for name, one in zip(names, row.elts, strict=False))


def hole(node: Node) -> Hole:
    """A hole by the last name in the expression that is no method."""
    match node:
        case ast.Call(func=ast.Attribute(attr=attr)) if attr.startswith("get_") and attr.endswith("_display"):
            return Hole(attr[4:-8] + "_", attr[4:-8])
        case ast.Attribute(attr="verbose_name_raw"):
            return Hole("thing_", "verbose_name")
        case ast.Call(func=ast.Attribute(attr="join"), args=[given, *_]):
            return hole(given)
        case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in METHODS:
            return hole(value)
        case ast.Call(args=[given, *_]):
            return hole(given)
        case ast.Call(func=func):
            return hole(func)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return Hole(name.strip("_").lower())
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return Hole(name)
        case (
            ast.Subscript(value=value) | ast.Starred(value=value) | ast.BinOp(left=value) | ast.GeneratorExp(elt=value)
        ):
            return hole(value)
        case ast.IfExp(body=value) | ast.BoolOp(values=[value, *_]) | ast.FormattedValue(value=value):
            return hole(value)
        case ast.JoinedStr(values=values):
            return next((hole(one) for one in values if isinstance(one, ast.FormattedValue)), Hole("value"))
    return Hole("value")


METHODS = {"normalize", "lower", "strip", "replace", "removeprefix", "isoformat", "title", "capitalize", "quantize"}

"""What a module does that has to be declared, or that hides what it does: told by the names that it refers to."""

import ast
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from windtunnel.packages.inspection import words

_NAMES_REMEMBERED = 4_096
_TYPE_CHECKING = frozenset({"TYPE_CHECKING", "typing.TYPE_CHECKING"})


class Power(StrEnum):
    """What code may do beyond computing."""

    NETWORK = "network"
    SUBPROCESS = "subprocess"
    FILESYSTEM = "filesystem"
    SECRET = "secret"  # noqa: S105
    ENVIRONMENT = "environment"
    DYNAMIC = "dynamic"
    NATIVE = "native"


class Use(NamedTuple):
    """A use of a power, and where. `what` is the name that was used, or that of the secret; never a value."""

    power: Power
    what: str
    line: int


class Import(NamedTuple):
    """A module that is imported by an absolute name. An optional one may be missing."""

    module: str
    line: int
    optional: bool


class Uses(ast.NodeVisitor):
    """Walks a module; `found`, `imports` and `addresses` (of web pages, with their lines) have what it saw."""

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[Use] = []
        self.imports: list[Import] = []
        self.addresses: list[tuple[str, int]] = []
        self._names: dict[str, str] = {}
        self._stars: list[str] = []
        self._optional = 0
        self._own: set[str] = set()
        for node in ast.walk(tree):  # names may be used before the import that binds them
            self._bind(node)
        self.visit(tree)

    def visit_Import(self, node: ast.Import) -> None:
        """`import a.b`."""
        for alias in node.names:
            self._imported(alias.name, node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """`from a import b`."""
        if node.level == 0 and node.module:
            self._imported(node.module, node.lineno)
            for alias in node.names:
                if (full := f"{node.module}.{alias.name}") not in words.ENVIRONS:  # told where it is read
                    self._referred(full, node.lineno)

    def visit_Try(self, node: ast.Try) -> None:
        """What is imported in a `try` that expects it to be missing is optional."""
        expects = any(_expects_missing(handler.type) for handler in node.handlers)
        self._optional += expects
        for each in node.body:
            self.visit(each)
        self._optional -= expects
        for other in (*node.handlers, *node.orelse, *node.finalbody):
            self.visit(other)

    def visit_If(self, node: ast.If) -> None:
        """What only type checkers import is never there."""
        if isinstance(node.test, ast.Name | ast.Attribute) and ast.unparse(node.test) in _TYPE_CHECKING:
            for each in node.orelse:
                self.visit(each)
        else:
            self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        """A name as such, whatever is done with it."""
        if isinstance(node.ctx, ast.Load):
            self._referred(self._full(node), node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """`a.b`, by the full name of what is behind it."""
        full = self._full(node)
        if full:
            self._referred(full, node.lineno)
        else:
            self._attribute(node.attr, node.lineno)
            self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        """An address in a text."""
        if isinstance(node.value, str) and node.value.startswith(("http://", "https://", "ws://", "wss://")):
            self.addresses.append((node.value, node.lineno))

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """`os.environ["NAME"]`."""
        if self._full(node.value) in words.ENVIRONS:
            self._read(node.slice, node.lineno)
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """A call whose arguments tell more than its name."""
        full, first = self._full(node.func), node.args[0] if node.args else None
        name = full or (node.func.attr if isinstance(node.func, ast.Attribute) else "")
        constant = first.value if isinstance(first, ast.Constant) else None
        if full in words.ENVIRON_READERS:
            self._read(first, node.lineno)
        elif full in words.IMPORTERS and isinstance(constant, str) and not constant.startswith("."):
            self._imported(constant, node.lineno)
        elif full == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant) and first is not None:
            self._referred(f"{self._full(first)}.{node.args[1].value!s}", node.lineno)
        elif full == "getattr" and first is not None and self._full(first) in words.TELLING_MODULES:
            self._add(Power.DYNAMIC, "getattr, of a name that is computed", node.lineno)
        else:
            self.visit(node.func)
        if full in words.OPENERS or (not full and name == "open"):
            mode = _argument(node, 1 if full in words.OPENERS else 0, "mode")
            if mode is not None and not (isinstance(mode, ast.Constant) and _only_reads(mode.value)):
                self._add(Power.FILESYSTEM, f"{name}, to write", node.lineno)
        if isinstance(constant, str) and constant.startswith(("/", "~")) and name in words.TAKE_PATHS:
            self._add(Power.FILESYSTEM, f"{name}, of a path outside of the package", node.lineno)
        for each in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.visit(each)

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self._names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                if alias.name == "*":
                    self._stars.append(node.module)
                self._names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            full = self._full(node.value)
            if full.partition(".")[0] in words.TELLING_MODULES:
                self._names.setdefault(node.targets[0].id, full)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self._own.add(node.name)

    def _full(self, node: ast.AST) -> str:
        """The dotted name of what an expression refers to; empty when that is something of the module's own."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Call) and self._full(node.func) in words.IMPORTERS and node.args:
            first = node.args[0]
            root = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
        elif isinstance(node, ast.Name):
            root = self._names.get(node.id, None if parts and node.id != "builtins" else node.id)
        else:
            root = None
        return "" if root is None else ".".join([root, *reversed(parts)])

    def _imported(self, module: str, line: int) -> None:
        self.imports.append(Import(module, line, bool(self._optional)))
        for power, modules in words.MODULES.items():
            if any(module == each or module.startswith(f"{each}.") for each in modules):
                self._add(Power(power), module, line)

    def _referred(self, full: str, line: int) -> None:
        if "." not in full and full in self._own:
            return
        for name in (full, *(f"{star}.{full}" for star in self._stars)):
            name = name.removeprefix("builtins.")  # noqa: PLW2901
            for power in _powers(name):
                self._add(power, name, line)
            if name in words.ENVIRONS or name.startswith("os.environ."):
                self._add(Power.ENVIRONMENT, name, line)

    def _attribute(self, name: str, line: int) -> None:
        """A method of something unknown."""
        if name in words.WRITING_METHODS:
            self._add(Power.FILESYSTEM, name, line)

    def _read(self, key: ast.expr | None, line: int) -> None:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            self._add(Power.ENVIRONMENT, "a variable whose name is computed", line)
        elif key.value not in words.ORDINARY_VARIABLES:
            known = words.SECRET_NAME.search(key.value) is not None
            self._add(Power.SECRET if known else Power.ENVIRONMENT, key.value, line)

    def _add(self, power: Power, what: str, line: int) -> None:
        self.found.append(Use(power, what, line))


@lru_cache(_NAMES_REMEMBERED)
def _powers(full: str) -> tuple[Power, ...]:
    """What a name stands for, itself or by what it is a part of."""
    parts = full.split(".")
    wholes = {".".join(parts[:number]) for number in range(1, len(parts) + 1)}
    return tuple(Power(power) for power, names in words.NAMES.items() if not wholes.isdisjoint(names))


def _expects_missing(caught: ast.expr | None) -> bool:
    names = {node.id for node in ast.walk(caught) if isinstance(node, ast.Name)} if caught else {"Exception"}
    return bool(names & {"ImportError", "ModuleNotFoundError", "Exception"})


def _argument(node: ast.Call, place: int, name: str) -> ast.expr | None:
    named: Iterator[ast.expr] = (keyword.value for keyword in node.keywords if keyword.arg == name)
    return node.args[place] if len(node.args) > place else next(named, None)


def _only_reads(mode: object) -> bool:
    return isinstance(mode, str) and not set(mode) & set("wax+")

"""Reads who imports whom, and names what breaks the house rules of DESIGN.md section 4."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Each app may import itself and those before it.
APPS = ("staff", "patients", "notifications", "appointments", "vivalia_continuity")
# Inside an app a package may import those before it, and none that stands after it.
ORDER = {
    "appointments": (
        ("vocabulary", "rules", "models", "access", "trail"),
        ("decisions",),
        ("feeds",),
        ("bulletins",),
        ("operations", "paper", "incoming"),
        ("doctors", "wards"),
        ("schedule",),
        ("board",),
        ("apps", "demo", "management", "tasks", "templatetags", "urls"),
    ),
    "notifications": (
        ("vocabulary", "models", "rules", "access"),
        ("gateways",),
        ("texts",),
        ("lifecycle",),
        ("receipts",),
        ("sending",),
        ("telling",),
        ("calls",),
        ("apps", "management", "tasks", "templatetags", "urls"),
    ),
}
# Choices with lazy labels: pure but for these two names.
VOCABULARIES = ("appointments.vocabulary", "notifications.vocabulary")
CHOICES = ("django.db.models.TextChoices", "django.utils.translation.gettext_lazy")
# Pure: no Django, and nothing of the house that is not pure too.
PURE = (
    *VOCABULARIES,
    *("appointments.rules", "appointments.wards.attendance_rules"),
    *("notifications.rules", "notifications.receipts.stop_words", "notifications.texts.cost"),
    "notifications.texts.forbidden_words",
    *("patients.names", "patients.phones"),
)
# Layers that do not know those who call them.
INNER = ("services", "queries", "models", "rules", "vocabulary")
OUTER = ("views", "urls", "forms", "management", "admin")  # tasks: a service rings for one


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name of a source file; a package's is that of its folder."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, package: str) -> set[str]:
    """Return the dotted names that a source imports, wherever in it the import stands.

    ``from a import b`` yields ``a.b``, whether ``b`` is a module or a name in ``a``.

    Args:
        source: Python text.
        package: the dotted name of the package in which it stands, for relative imports.
    """
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *filter(None, [base])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def sources(root: Path) -> dict[str, set[str]]:
    """Return what each module of the apps imports, migrations aside."""
    found = {}
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            name = module_name(path, root)
            package = name if path.stem == "__init__" else name.rpartition(".")[0]
            found[name] = imports_of(path.read_text(encoding="utf-8"), package)
    return found


def class_names(root: Path) -> dict[str, list[str]]:
    """Return where each class of the apps is defined, by its name; migrations aside."""
    found: dict[str, list[str]] = {}
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    found.setdefault(node.name, []).append(module_name(path, root))
    return found


def breaches(modules: dict[str, set[str]]) -> list[str]:
    """Return one sentence for each import that the house does not allow."""
    return [
        sentence
        for module, imported in sorted(modules.items())
        for name in sorted(imported)
        for sentence in _breaches_of(module, name)
    ]


def _breaches_of(module: str, name: str) -> Iterator[str]:
    app, target = module.partition(".")[0], name.partition(".")[0]
    if target in APPS and APPS.index(target) > APPS.index(app):
        yield f"{module} imports {name}: {app} may not know {target}"
    if target == app and app in ORDER and _is_above(module, name):
        yield f"{module} imports {name}: no package knows one that stands after it"
    if target == "tests":
        yield f"{module} imports {name}: the app may not know its tests"
    is_impure = target == "django" or (target in APPS and not _starts(name, PURE))
    if _starts(module, PURE) and is_impure and not (module in VOCABULARIES and name in CHOICES):
        yield f"{module} imports {name}: it must stay pure"
    if _is(module, ("views",)) and _is(name, ("gateways",)):
        yield f"{module} imports {name}: a view never touches a gateway"
    if _is(module, INNER) and target in APPS and _is(name, OUTER):
        yield f"{module} imports {name}: a service does not know who calls it"


def _is_above(module: str, name: str) -> bool:
    """Whether a module imports from another package that does not stand before its own.

    Rules and models may be imported by all, and what stands last imports them all.
    """
    app, _dot, rest = module.partition(".")
    mine, theirs = rest.partition(".")[0], name.split(".")[1]
    if mine == theirs or _level(app, theirs) == 0 or _level(app, mine) == len(ORDER[app]) - 1:
        return False
    return _level(app, theirs) >= _level(app, mine)


def _level(app: str, package: str) -> int:
    """Return where a package stands in its app; what has no place there stands above all."""
    places = (place for place, beside in enumerate(ORDER[app]) if package in beside)
    return next(places, len(ORDER[app]))


def _starts(name: str, modules: tuple[str, ...]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in modules)


def _is(name: str, kinds: tuple[str, ...]) -> bool:
    parts = name.split(".")[1:]
    return any(part == kind or part.endswith(f"_{kind}") for part in parts for kind in kinds)


# --- who writes the states of notices and deliveries ------------------------------------------

LIFECYCLE = "notifications.lifecycle"
_STATEFUL = {"Notice", "Delivery"}
_STATES = {"NoticeState", "DeliveryState"}
_MAKERS = ("create", "get_or_create", "update_or_create", "bulk_create")
_WRITES_IN_SQL = re.compile(
    r"insert\s+into\s+notifications_(notice|delivery)\b"
    r"|update\s+notifications_(notice|delivery)\s+set\b(?:(?!\bwhere\b).)*?\bstate\s*=",
    re.IGNORECASE | re.DOTALL,
)


def state_writes(root: Path) -> list[str]:
    """Return where the state of a notice or a delivery is written outside of the lifecycle."""
    found = []
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            name = module_name(path, root)
            if "migrations" not in path.parts and not _starts(name, (LIFECYCLE,)):
                source = path.read_text(encoding="utf-8")
                found += [f"{name}:{line} writes a state" for line in writing_lines(source)]
    return found


def writing_lines(source: str) -> list[int]:
    """Return the lines of a source that write the state of a notice or a delivery.

    Seen are: making one; ``.update(state=…)``, ``bulk_update`` and ``update_fields`` with the
    state; ``x.state = …``, ``setattr(x, "state", …)`` and ``{"state": DeliveryState…}``; SQL.
    A state of another model (``BulletinState…``) and ``self.state`` are left alone; so is a
    source that imports none of the models and states.
    """
    tree = ast.parse(source)
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    names = {alias.name for node in imports for alias in node.names}
    writes = _writes_a_state if names & (_STATEFUL | _STATES) else _writes_in_sql
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.expr | ast.stmt))
    return sorted({node.lineno for node in nodes if writes(node)})


def _writes_a_state(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _is_writing_call(node)
    if isinstance(node, ast.Assign):
        return any(map(_is_foreign_state, _assigned(node))) and _may_be_ours(node.value)
    if isinstance(node, ast.Dict):
        given = zip(node.keys, node.values, strict=True)
        return any(_says(key, "state") and _names(value) & _STATES for key, value in given)
    return _writes_in_sql(node)


def _is_writing_call(call: ast.Call) -> bool:
    given = {one.arg: one.value for one in call.keywords}
    if isinstance(call.func, ast.Name):
        is_setattr = call.func.id == "setattr" and any(_says(one, "state") for one in call.args)
        return call.func.id in _STATEFUL or is_setattr
    function = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if function in _MAKERS:
        return bool(_names(call.func) & (_STATEFUL | {"notices", "deliveries"}))
    if function == "update" and "state" in given:
        return _may_be_ours(given["state"])
    if function == "bulk_update":
        return "state" in _constants(call)
    return function == "save" and "state" in _constants(given.get("update_fields"))


def _writes_in_sql(node: ast.AST) -> bool:
    """Whether a string is SQL that writes one; what is filled in stands as ``?``."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    said = [one.value if isinstance(one, ast.Constant) else "?" for one in parts]
    return bool(_WRITES_IN_SQL.search("".join(one for one in said if isinstance(one, str))))


def _assigned(node: ast.Assign) -> Iterator[ast.expr]:
    for target in node.targets:
        yield from target.elts if isinstance(target, ast.Tuple) else [target]


def _is_foreign_state(target: ast.expr) -> bool:
    """Whether a target is the state of something else than the object itself."""
    is_state = isinstance(target, ast.Attribute) and target.attr == "state"
    return is_state and _names(target.value) != {"self"}


def _may_be_ours(value: ast.expr) -> bool:
    """Whether a value may be a state of ours: no enum says that it is another model's."""
    enums = {name for name in _names(value) if name.endswith("State")}
    return not enums or bool(enums & _STATES)


def _names(node: ast.AST) -> set[str]:
    found = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return found | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def _constants(node: ast.AST | None) -> set[object]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)} if node else set()


def _says(node: ast.AST | None, word: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == word

"""Reads who imports whom, and names what breaks the house rules of DESIGN.md section 4."""

import ast
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
        ("vocabulary", "models", "references", "rules", "quiet_hours", "sms_text", "access"),
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
    *("notifications.rules", "notifications.sms_text", "notifications.receipts.rules"),
    *("notifications.receipts.stop_words", "notifications.texts.cost"),
    *("notifications.texts.medical_words", "notifications.texts.names"),
)
# Layers that do not know those who call them.
INNER = ("services", "queries", "models", "rules", "vocabulary", "sms_text")
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

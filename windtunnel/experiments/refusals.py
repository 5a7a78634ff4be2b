"""What is wrong with a network file or with overrides, in one sentence that names the place and what is allowed."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel
from pydantic import ValidationError as PydanticError
from pydantic_core import ErrorDetails

from windtunnel.domain.errors import ValidationError

_WORDS = {
    "json_invalid": "This is no JSON: {error}.",
    "missing": "{place} is missing.",
    "model_type": "{place} must be an object: {{...}}.",
    "dict_type": "{place} must be an object: {{...}}.",
    "tuple_type": "{place} must be a list: [...].",
    "too_short": "{place} is empty: give at least {min_length}.",
    "too_long": "{place} has too many: at most {max_length}.",
    "string_too_short": "{place} must not be empty.",
    "string_too_long": "{place} must have at most {max_length} characters.",
    "string_type": "{place} must be text.",
    "enum": "{place} must be {expected}.",
    "literal_error": "{place} must be {expected}.",
    "finite_number": "{place} must be a finite number.",
    "float_type": "{place} must be a number.",
    "float_parsing": "{place} must be a number.",
    "int_type": "{place} must be a whole number.",
    "int_parsing": "{place} must be a whole number.",
    "int_from_float": "{place} must be a whole number.",
    "bool_type": "{place} must be true or false.",
    "bool_parsing": "{place} must be true or false.",
    "greater_than": "{place} must be above {gt:g}.",
    "greater_than_equal": "{place} must be at least {ge:g}.",
    "less_than": "{place} must be below {lt:g}.",
    "less_than_equal": "{place} must be at most {le:g}.",
}
_FORMS = {"opens": "a time like 09:00", "closes": "a time like 17:00", "begins": "a day and a time like MON 09:00"}

_NAMED_MAX = 80
"""So much of a key is said."""


def refusal(error: PydanticError, root: tuple[str, ...], form: type[BaseModel]) -> ValidationError:
    """The first of what was refused, as an error with the path to it; `root` is where a `form` was given."""
    (path, first), *rest = _mistakes(error, form)
    said = _sentence(first, root, form)
    more = f" ({len(rest)} more mistake{'s' if len(rest) > 1 else ''})" if rest else ""
    return ValidationError(f"{said}{more}", rule=first["type"], path=(*root, *(str(part) for part in path)))


def _mistakes(error: PydanticError, form: type[BaseModel]) -> list[tuple[tuple[int | str, ...], ErrorDetails]]:
    """Each place with a mistake once; what is wrong further inside says more than that its holder is wrong."""
    found: dict[tuple[int | str, ...], ErrorDetails] = {}
    for one in error.errors(include_url=False, include_input=False):
        found.setdefault(tuple(_seen(one["loc"], form)), one)
    holders = {path[:deep] for path in found for deep in range(len(path))}
    return [(path, one) for path, one in found.items() if path not in holders]


def _sentence(told: ErrorDetails, root: tuple[str, ...], form: type[BaseModel]) -> str:
    kind, loc = told["type"], told["loc"]
    place = ""
    for part in _seen(loc, form):
        place += f"[{part}]" if isinstance(part, int) else f".{part[:_NAMED_MAX]}" if place else part[:_NAMED_MAX]
    place = place or root[-1]
    if kind == "extra_forbidden":
        known = _known_at(form, loc)
        near = get_close_matches(str(loc[-1])[:_NAMED_MAX], known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known there are {', '.join(known)}."
        return f"{place} is not known: {hint}"
    if kind == "string_pattern_mismatch":
        return f"{place} must be {_FORMS.get(str(loc[-1]), 'text without control characters')}."
    if kind in _WORDS:
        return _WORDS[kind].format(place=place, **told.get("ctx", {}))
    return f"{place}: {told['msg'].removeprefix('Value error, ').rstrip('.')}."


def _seen(loc: Sequence[int | str], form: type[BaseModel]) -> list[int | str]:
    """The path as in the file: without the names of forms that could have been meant."""
    names = {one.__name__ for one in _forms_within(form)} | {"bool", "constrained-int", "literal['all']"}
    return [part for part in loc if part not in names]


def _known_at(form: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The names that are known in the object that holds what `loc` leads to."""
    forms = [form]
    for part in loc[:-1]:
        holder = next((one for one in forms if part in one.model_fields), None)
        if holder is not None:
            forms = _forms_in(holder.model_fields[str(part)].annotation)
        else:
            forms = [one for one in forms if one.__name__ == part] or forms
    return [name for one in forms for name in one.model_fields]


def _forms_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [form for part in get_args(annotation) for form in _forms_in(part)]


def _forms_within(form: type[BaseModel]) -> list[type[BaseModel]]:
    below = [one for field in form.model_fields.values() for one in _forms_in(field.annotation)]
    return below + [deeper for one in below for deeper in _forms_within(one)]

"""Relay pages over keysets: arguments in, connections out."""

from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from schema.fields import resolved
from schema.ids import is_id, read_opaque, write_opaque
from schema.info import Info
from windtunnel.domain.errors import ValidationError
from windtunnel.domain.pages import Keyset, Page, PageRequest, page_size
from windtunnel.domain.policy import PAGE_SIZE_DEFAULT

First = Annotated[int | None, strawberry.argument(description="The first so many, 1 to 100; 20 when absent.")]
After = Annotated[str | None, strawberry.argument(description="With `first`: only those after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="The last so many, 1 to 100.")]
Before = Annotated[str | None, strawberry.argument(description="With `last`: only those before this cursor.")]

_LARGEST = 2**63 - 1  # what the database can compare


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """As the Relay specification has it."""

    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first one here; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last one here; null on an empty page.")


@strawberry.interface(description="One page of a list, newest first.")
class Connection:
    """A page of domain values; each concrete connection shows them in its `nodes` and `edges`."""

    page: strawberry.Private[Page[Any]]

    @resolved("Where this page lies in its list.")
    def page_info(self) -> PageInfo:
        """Taken from the page."""
        keys = self.page.keys
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=self.page.has_previous,
            start_cursor=write_cursor(keys[0]) if keys else None,
            end_cursor=write_cursor(keys[-1]) if keys else None,
        )

    @resolved("How many there are in the whole list.")
    def total_count(self) -> int:
        """Counted with the page, because this field was asked for."""
        if self.page.total is None:
            raise LookupError("totalCount was selected, but the page was read without it")
        return self.page.total

    def cursors(self) -> list[str]:
        """A cursor for each item of the page."""
        return [write_cursor(key) for key in self.page.keys]


def page_request(
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    *,
    counted: bool = True,
) -> PageRequest:
    """The slice that the arguments of a connection ask for; ValidationError when they contradict each other."""
    if first is not None and last is not None:
        _refuse("Give `first` or `last`, not both.", "first_and_last", "last")
    if after is not None and (last is not None or before is not None):
        _refuse("`after` goes with `first`, `before` with `last`.", "after_with_last", "after")
    if before is not None and first is not None:
        _refuse("`before` goes with `last`, `after` with `first`.", "before_with_first", "before")
    if last is not None or before is not None:
        limit = PAGE_SIZE_DEFAULT if last is None else page_size("last", last)
        return PageRequest(limit=limit, before=_keyset("before", before), backward=True, counted=counted)
    limit = PAGE_SIZE_DEFAULT if first is None else page_size("first", first)
    return PageRequest(limit=limit, after=_keyset("after", after), counted=counted)


def counts(info: Info) -> bool:
    """Whether the connection that is being resolved was asked for its totalCount."""
    return any(_selects(field.selections, "totalCount") for field in info.selected_fields)


def write_cursor(key: Keyset) -> str:
    """The opaque cursor of a place in a list."""
    return write_opaque(f"{key.number}:{key.id}")


def read_cursor(cursor: str) -> Keyset | None:
    """The reverse of `write_cursor`; None for anything that it cannot have written."""
    number, _, raw = (read_opaque(cursor) or "").partition(":")
    if not (number.isascii() and number.isdecimal() and len(number) <= 19 and is_id(raw)):
        return None
    key = Keyset(number=int(number), id=raw)
    return key if key.number <= _LARGEST and write_cursor(key) == cursor else None


def _keyset(name: str, cursor: str | None) -> Keyset | None:
    if cursor is None:
        return None
    key = read_cursor(cursor)
    if key is None:
        _refuse(f"`{name}` is not a cursor of this list. Pass one that a page gave you.", "cursor", name)
    return key


def _selects(selections: Sequence[Selection], name: str) -> bool:
    return any(
        selection.name == name if isinstance(selection, SelectedField) else _selects(selection.selections, name)
        for selection in selections
    )


def _refuse(message: str, rule: str, argument: str) -> NoReturn:
    raise ValidationError(message, rule=rule, path=(argument,))

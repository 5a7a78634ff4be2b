"""An OpenFeature client of one open store: several stores in one process never see each other's flags."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.hook import Hook, HookContext, HookHints
from openfeature.provider.no_op_provider import NoOpProvider

from windtunnel.domain.ids import new_id
from windtunnel.storage.flag_provider import TableProvider
from windtunnel.storage.store import Store

_CLOSED = NoOpProvider()
"""Takes the place of a provider whose store is closed: a domain cannot be unregistered."""

log = structlog.get_logger()


class _LogErrors(Hook):
    """Says why a flag could not be evaluated: the caller is only given the default."""

    def error(self, hook_context: HookContext, exception: Exception, hints: HookHints) -> None:
        """Log it."""
        del hints
        reason = getattr(exception, "error_message", None) or str(exception)
        log.warning("flag_default", flag=hook_context.flag_key, value=hook_context.default_value, reason=reason)


@contextmanager
def open_flag_client(store: Store) -> Iterator[OpenFeatureClient]:
    """A client whose provider reads the flags in `store`; afterwards it knows only defaults."""
    domain = f"windtunnel-{new_id()}"
    api.set_provider_and_wait(TableProvider(store), domain)
    client = api.get_client(domain)
    client.add_hooks([_LogErrors()])
    try:
        yield client
    finally:
        api.set_provider_and_wait(_CLOSED, domain)

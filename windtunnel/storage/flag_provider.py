"""An OpenFeature provider over the table of feature flags."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, GeneralError, InvalidContextError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from windtunnel.domain.errors import WindtunnelError
from windtunnel.domain.flags import Asked, FeatureFlag, Flag, RolloutStage, evaluate
from windtunnel.domain.viewers import Role, Viewer
from windtunnel.storage import flags
from windtunnel.storage.store import Store

_TENANT, _ROLES, _AGENT = "tenantId", "roles", "agentSlug"


def evaluation_context(viewer: Viewer, agent_slug: str | None = None) -> EvaluationContext:
    """Who asks, as the provider understands it."""
    about = {} if agent_slug is None else {_AGENT: agent_slug}
    return EvaluationContext(
        targeting_key=viewer.user.id, attributes={_TENANT: viewer.tenant_id, _ROLES: sorted(viewer.roles), **about}
    )


class TableProvider(AbstractProvider):
    """Resolves each flag anew with one statement: what is switched off is off at once, in every process.

    Reasons: DEFAULT (the tenant has not touched the flag), DISABLED, STATIC (on for everybody), TARGETING_MATCH (the
    stage decided). Flags are boolean, and the database is asynchronous: nothing else can be resolved.
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def get_metadata(self) -> Metadata:
        """The name of this provider."""
        return Metadata(name="windtunnel-table")

    async def resolve_boolean_details_async(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """Whether the feature is there for whoever the context describes; errors are OpenFeature's."""
        name = _known(flag_key)
        tenant_id, asked = _read(evaluation_context)
        try:
            stored = await flags.get(self._store, tenant_id, name)
        except WindtunnelError as error:
            raise GeneralError(error.message) from error
        if stored is None:
            return _details(default_value, Reason.DEFAULT, FeatureFlag(name))
        return _details(evaluate(stored, asked), _reason(stored), stored)

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[bool]:
        """Not offered."""
        raise GeneralError("Flags are read from a database: use the asynchronous methods.")

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """Not offered."""
        _refuse(flag_key)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """Not offered."""
        _refuse(flag_key)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """Not offered."""
        _refuse(flag_key)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Not offered."""
        _refuse(flag_key)


def _known(flag_key: str) -> Flag:
    if flag_key not in Flag.__members__.values():
        raise FlagNotFoundError(f"There is no flag {flag_key!r}.")
    return Flag(flag_key)


def _refuse(flag_key: str) -> NoReturn:
    raise TypeMismatchError(f"The flag {_known(flag_key).value!r} is boolean.")


def _read(context: EvaluationContext | None) -> tuple[str, Asked]:
    """The tenant, and who asks. Raises InvalidContextError unless both are as `evaluation_context` writes them."""
    attributes = context.attributes if context else {}
    tenant_id, roles, agent_slug = attributes.get(_TENANT), attributes.get(_ROLES), attributes.get(_AGENT)
    if not isinstance(tenant_id, str):
        raise InvalidContextError(f"The context needs {_TENANT}.")
    if isinstance(roles, str) or not isinstance(roles, Sequence) or not all(role in set(Role) for role in roles):
        raise InvalidContextError(f"The context needs {_ROLES}: a list of roles.")
    if agent_slug is not None and not isinstance(agent_slug, str):
        raise InvalidContextError(f"{_AGENT} must be text.")
    return tenant_id, Asked(frozenset(Role(str(role)) for role in roles), agent_slug)


def _reason(flag: FeatureFlag) -> Reason:
    if not flag.enabled:
        return Reason.DISABLED
    return Reason.STATIC if flag.stage is RolloutStage.ALL else Reason.TARGETING_MATCH


def _details(value: bool, reason: Reason, flag: FeatureFlag) -> FlagResolutionDetails[bool]:
    return FlagResolutionDetails(
        value=value, reason=reason, variant="on" if value else "off", flag_metadata={"stage": flag.stage.value}
    )

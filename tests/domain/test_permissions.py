"""What roles are asked for, in words."""

import pytest

from windtunnel.domain.errors import ForbiddenError
from windtunnel.domain.permissions import ALLOWED, Action, require
from windtunnel.domain.viewers import Role, Tenant, User, Viewer

NOBODY = Viewer(User("u", "t", "Ada", "ada@acme.example"), Tenant("t", "acme", "Acme"), frozenset())


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (Action.SET_MEMBER_ROLES, "setMemberRoles needs the role ADMIN. You have none."),
        (Action.VERIFY_AUDIT, "verifyAudit needs one of the roles ADMIN, AUDITOR. You have none."),
    ],
)
def test_the_roles_that_would_do_are_named(action: Action, sentence: str) -> None:
    with pytest.raises(ForbiddenError) as refused:
        require(NOBODY, action)
    assert str(refused.value) == sentence


def test_each_of_them_does() -> None:
    for action, roles in ALLOWED.items():
        for role in Role:
            viewer = Viewer(NOBODY.user, NOBODY.tenant, frozenset({role}))
            if role in roles:
                require(viewer, action)
            else:
                with pytest.raises(ForbiddenError):
                    require(viewer, action)

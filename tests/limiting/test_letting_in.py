"""What letting people in costs an address when it goes wrong."""

import pytest

from app.limiting.buckets import Buckets
from app.limiting.limiter import Limiter
from app.sign_in.sessions import SignInError
from windtunnel.domain.errors import RateLimitedError, UnavailableError
from windtunnel.domain.policy import REFUSED_SIGN_IN_POINTS


@pytest.mark.parametrize("error", [SignInError, RecursionError, KeyError])
async def test_whoever_is_refused_pays_and_whatever_breaks_over_a_token_too(error: type[Exception]) -> None:
    limiter = Limiter(Buckets(2 * REFUSED_SIGN_IN_POINTS))

    async def sign_in() -> None:
        raise error

    for _ in range(2):
        with pytest.raises(error):
            await limiter.letting_in("Bearer x", "192.0.2.1", sign_in)
    with pytest.raises(RateLimitedError):
        await limiter.letting_in("Bearer x", "192.0.2.1", sign_in)
    with pytest.raises(error):
        await limiter.letting_in("Bearer x", "192.0.2.2", sign_in)


async def test_nobody_pays_for_a_database_that_is_down() -> None:
    limiter = Limiter(Buckets(REFUSED_SIGN_IN_POINTS))

    async def sign_in() -> None:
        raise UnavailableError("The database is down.")

    for _ in range(3):
        with pytest.raises(UnavailableError):
            await limiter.letting_in("Bearer x", "192.0.2.1", sign_in)

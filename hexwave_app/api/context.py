"""What routes need: the open services, who is asking, and whether it is asked again."""

from typing import Annotated

from fastapi import Depends, Header, Request

from hexwave_app.identity.user import User
from hexwave_app.services import Services, current


# FastAPI runs a dependency that is no coroutine in a thread, which takes longer than these do.
async def _services() -> Services:
    return current()


OpenServices = Annotated[Services, Depends(_services)]


async def _user(request: Request, services: OpenServices) -> User:
    return services.sessions.admit(request.state.user)


CurrentUser = Annotated[User, Depends(_user)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255)]

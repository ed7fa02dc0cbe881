"""What every route needs: the open services, and who is asking."""

from typing import Annotated

from fastapi import Depends, Request

from hexwave_app.identity.session import User
from hexwave_app.services import Services, current


def _user(request: Request) -> User:
    return request.state.user


OpenServices = Annotated[Services, Depends(current)]
CurrentUser = Annotated[User, Depends(_user)]

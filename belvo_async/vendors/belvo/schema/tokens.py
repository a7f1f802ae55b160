"""Going on after a one-time token was asked for."""

from __future__ import annotations

import re
from typing import Final, Generic, TypeVar

from msgspec.structs import force_setattr

from ....abc import Call, Secret
from ....discreet import discreet
from ....errors import TaskError
from .calls import CreateLink, UpdateLink, check_form, hide
from .checks import fix_link
from .retrievals import Retrieval

R_co = TypeVar("R_co", covariant=True)

_SESSION: Final = re.compile(r"[a-f0-9]{32}")


class Resume(Call[R_co], Generic[R_co], frozen=True, kw_only=True):
    """Go on with a call that met TokenRequiredError. Gives what the call would have given.

        try:
            status = await session.call(call)
        except TokenRequiredError as wanted:
            token = await ask_taxpayer(wanted.instructions)
            status = await session.call(Resume(call=call, session=wanted.session, link=wanted.link, token=token))

    `call` is a retrieval, CreateLink or UpdateLink. `link` is needed after CreateLink, which had none; others know
    theirs. Belvo documents PATCH for links and invoices alone: so RetrieveInvoices is resumed by PATCH /api/invoices/,
    all else by PATCH /api/links/, after which a retrieval of tax data is sent again.
    `token` None is for institutions where the taxpayer confirms in an app. Raises TaskError naming the field that does
    not fit, TokenRequiredError again when another token is wanted.
    """

    call: Call[R_co]
    session: str | None
    token: str | Secret | None = None
    link: str | None = None

    @discreet
    def __post_init__(self) -> None:
        hide(self, "token")
        if not isinstance(self.call, Retrieval | CreateLink | UpdateLink):
            raise TaskError("call must be a retrieval, CreateLink or UpdateLink: others need no token", field="call")
        check_form(_SESSION, self.session, field="session", rule="be the session of a TokenRequiredError")
        if self.link is None and isinstance(self.call, Retrieval | UpdateLink):
            force_setattr(self, "link", self.call.link)
        fix_link(self)  # type: ignore[arg-type]  # refuses None as well

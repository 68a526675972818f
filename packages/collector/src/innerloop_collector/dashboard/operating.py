"""Pages on which an admin does something: a form that says what becomes of it, and once what became of it."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from innerloop_collector.access.principal import Principal, Role
from innerloop_collector.dashboard.admin_actions import ACTIONS, Action, WrongFieldError
from innerloop_collector.dashboard.admin_choices import Known
from innerloop_collector.dashboard.error_pages import PageError, sentence
from innerloop_collector.dashboard.forms import Done, Field, Form
from innerloop_collector.dashboard.once import Once, Sent, Told
from innerloop_collector.dashboard.page import Page
from innerloop_collector.errors import InvalidArguments, StoreError, UsageError

PREFIX_OF_ACTIONS = "/admin/"
Ask = Callable[[str, dict[str, Any], Principal], dict[str, Any]]  # an operation, its arguments, and for whom
_TYPED = "typed"
_UNFIT = "Nothing was done: a field holds what it cannot. Below each stands what it can."
_OLD = "Nothing was done: this form is an old one. See whether it still says what you want, and send it again."


class Operating:
    """Has operations done that an admin asked for on a page."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._once = Once(time.monotonic)
        self._actions = {PREFIX_OF_ACTIONS + one.name: one for one in ACTIONS}

    def forms(self) -> dict[str, Callable[[str, Form, Principal], Page | Done]]:
        """What does what is posted, by its address."""
        return {address: partial(self._posted, action) for address, action in self._actions.items()}

    def told(self, name: str) -> Told | None:
        """What became of a form, for who asks first."""
        if not name:
            return None
        return self._once.take(name) or Told("What came of that was shown already, or longer than ten minutes ago.")

    def known(self, who: Principal) -> Known:
        """What is there. Raises PageError for who is no admin."""
        admins_only(who)
        return Known(lambda operation: self._ask(operation, {}, who))

    def page(self, address: str, who: Principal) -> Page:
        """The form of an action. Raises PageError."""
        action, known = self._actions[address], self.known(who)
        return self._page(action, known, list(self._fields(action, known)))

    def _posted(self, action: Action, _: str, form: Form, who: Principal) -> Page | Done:
        """Do what a form says, once. The answer is another page, on which it is told; or this one, where it cannot be done."""
        known = self.known(who)
        fields = [replace(one, value=form.get(one.name)) for one in self._fields(action, known)]
        sent = self._once.send(form.get("once"))
        if sent is Sent.OLD:
            return self._page(action, known, fields, message=_OLD, status=409)
        if sent is Sent.BEFORE:
            return self._on(Told("That was sent before, and nothing more was done."))
        try:
            answer = self._ask(action.name, self._checked(action, fields, form), who)
        except Exception as error:  # noqa: BLE001 - whatever it is, the form may be sent again
            self._once.again(form.get("once"))
            return self._refused(action, known, fields, error)
        return self._on(action.told(answer))

    def _refused(self, action: Action, known: Known, fields: list[Field], error: Exception) -> Page:
        """The form with what is wrong. Raises what is not about the form."""
        if isinstance(error, WrongFieldError):
            return self._page(
                action, known, [replace(one, error=str(error)) if one.name == error.name else one for one in fields], status=400
            )
        if isinstance(error, InvalidArguments):
            return self._page(action, known, fields, message=_UNFIT, status=400)
        if isinstance(error, UsageError | StoreError):
            return self._page(action, known, fields, message=sentence(error), status=503 if isinstance(error, StoreError) else 409)
        raise error

    def _on(self, told: Told) -> Done:
        return Done(f"/admin?told={self._once.keep(told)}")

    def _checked(self, action: Action, fields: list[Field], form: Form) -> dict[str, Any]:
        """The arguments of the operation. Raises WrongFieldError."""
        for one in fields:
            if one.required and not one.value.strip():
                raise WrongFieldError(one.name, "This is needed.")
            if one.kind == "choice" and one.value not in dict(one.options):
                raise WrongFieldError(one.name, "Choose one of these; it may have gone meanwhile.")
        project = form.line(action.typed).partition(" ")[0] if action.typed else ""
        if form.line(_TYPED) != project and action.typed:
            raise WrongFieldError(_TYPED, f"To do this in {project}, type {project}.")
        return action.arguments(form)

    def _fields(self, action: Action, known: Known) -> tuple[Field, ...]:
        typed = Field(_TYPED, "The project once more", hint="Type its id, to be sure that it is the right one", required=True, names=True)
        return (*action.fields(known), typed) if action.typed else action.fields(known)

    def _page(self, action: Action, known: Known, fields: list[Field], *, message: str = "", status: int = 200) -> Page:
        """The form, which can be sent once."""
        about = {"action": action, "fields": fields, "message": message, "once": self._once.form(), "offered": action.offered(known)}
        return Page("action.html", action.title, about=about, section="admin", status=status)


def admins_only(who: Principal) -> None:
    """Raise PageError for who is no admin."""
    if who.role is not Role.ADMIN:
        raise PageError(
            403,
            "This page is for admins",
            f"You have the role {who.role.word}. Ask whoever runs the collector.",
            (("All projects", "/projects"),),
        )

"""Whom a question is about, from what people write: `ada`, `sa:shop/web`, `group:devs`, `system:anonymous`."""

from collections.abc import Iterable

from auditor.access.kubernetes.bindings import Principal, PrincipalKind
from auditor.access.kubernetes.rbac import (
    ANONYMOUS,
    AUTHENTICATED,
    NODES,
    SERVICE_ACCOUNTS,
    SUPERUSERS,
    UNAUTHENTICATED,
    Caller,
    account_user,
    caller,
    split_account,
)
from auditor.model.errors import InputError
from auditor.model.record import record

_KINDS = {
    "user": PrincipalKind.USER,
    "group": PrincipalKind.GROUP,
    "sa": PrincipalKind.SERVICE_ACCOUNT,
    "serviceaccount": PrincipalKind.SERVICE_ACCOUNT,
}
_GROUPS = frozenset({AUTHENTICATED, UNAUTHENTICATED, SERVICE_ACCOUNTS, SUPERUSERS, NODES})
_HINT = "Write user:NAME, group:NAME or sa:NAMESPACE/NAME."


@record
class Asker:
    """Whom a question is about."""

    principal: Principal
    caller: Caller
    """Of a group: a member without a name, and in no other group than that and those that it implies."""


def parse(text: str, *, groups: Iterable[str] = ()) -> Asker:
    """Return whom `text` names, with further groups of theirs. Raises `InputError` for what names nobody.

    A kind stands before a colon, or before a blank as the tables of this program write it. Without one a text is a
    user name, unless it is the user name of a service account or one of Kubernetes' own groups. Another word before a
    colon is refused, although user names may hold colons: a kind that was mistyped would be answered as somebody who
    may do nothing.
    """
    kind, name = _split(text)
    groups = tuple(groups)
    match kind:
        case PrincipalKind.GROUP:
            if groups:
                hint = "Name a user, or leave out --group."
                raise InputError(f"{text} is a group, so it is in no further groups", hint=hint)
            return Asker(principal=Principal(kind, "", name), caller=Caller("", _of_group(name)))
        case PrincipalKind.SERVICE_ACCOUNT:
            namespace, _, own = name.partition("/")
            found = split_account(account_user(namespace, own))
            if found is None:
                raise InputError(f"{text} names no service account", hint="Write it as sa:NAMESPACE/NAME.")
            return Asker(principal=Principal(kind, *found), caller=caller(account_user(*found), groups))
        case PrincipalKind.USER:
            return Asker(principal=Principal(kind, "", name), caller=caller(name, groups))


def _split(text: str) -> tuple[PrincipalKind, str]:
    for separator in (":", " "):
        word, found, name = text.partition(separator)
        kind = _KINDS.get(word.lower())
        if found and kind is not None:
            if not name:
                raise InputError(f"{text} names nobody", hint=_HINT)
            return kind, name
    account = split_account(text)
    if account is not None:
        return PrincipalKind.SERVICE_ACCOUNT, "/".join(account)
    if text in _GROUPS or text.startswith(f"{SERVICE_ACCOUNTS}:"):
        return PrincipalKind.GROUP, text
    if ":" in text and not text.startswith("system:"):
        raise _unknown(text)
    if text in {"", "/"}:
        raise InputError("the principal has no name", hint=_HINT)
    if text.count("/") == 1 and split_account(account_user(*text.split("/"))) is not None:
        raise InputError(f"{text} may be a service account or a user", hint=f"Write sa:{text} or user:{text}.")
    return PrincipalKind.USER, ANONYMOUS if text == "anonymous" else text


def _unknown(text: str) -> InputError:
    from difflib import get_close_matches  # noqa: PLC0415 - only where something is wrong

    word, _, name = text.partition(":")
    near = get_close_matches(word.lower(), (*_KINDS, "system"), n=1)
    meant = f"Did you mean {near[0]}:{name}? " if near else ""
    hint = f"{meant}A user of that name is user:{text}. {_HINT}"
    return InputError(f"{word}: is no kind of principal", hint=hint)


def _of_group(name: str) -> frozenset[str]:
    """Return the groups that every member of a group is in."""
    implied = {name}
    if name != UNAUTHENTICATED:
        implied.add(AUTHENTICATED)
    if name.startswith(f"{SERVICE_ACCOUNTS}:"):
        implied.add(SERVICE_ACCOUNTS)
    return frozenset(implied)

"""Who called: a role that a service has taken on, or a person, whose name is never landed."""

import re

from connectors.logs.values import WITHHELD, Rule

_ROLE = re.compile(
    r"(?P<role>arn:aws[a-z-]*:sts::\d{12}:assumed-role/(?P<name>[\w+=,.@-]{1,64}))/(?P<session>.+)", re.ASCII
)


def principal_rule(person: Rule, text: Rule) -> Rule:
    """The rule of a caller's ARN: `{key, role, person}`.

    `key` is the hash of who was allowed (a role whatever its sessions, or a user), `role` the role's name in clear,
    `person` the hash of the session's name or of the user: people sign in under their e-mail address.
    """

    def principal(value: object) -> object:
        if not isinstance(value, str):
            return None if value is None else WITHHELD
        found = _ROLE.fullmatch(value)
        if found is None:
            return {"key": person(value), "person": person(value)}
        return {"key": person(found["role"]), "role": text(found["name"]), "person": person(found["session"])}

    return principal

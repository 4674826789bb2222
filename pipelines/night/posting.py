"""The way out of the house: the one outbox, and the mail server as a transport for it."""

from collections.abc import Mapping
from email.message import EmailMessage

from pipelines.config.schema import Mail
from pipelines.house import House
from pipelines.lake.root import open_root
from reports.outbox import Outbox, Transport
from reports.smtp import send_smtp


def outbox_of(house: House) -> Outbox:
    """The outbox of all that leaves: statements, budgets, notices."""
    place = open_root(f"{house.config.lake.rstrip('/')}/outbox", house.config.store_options)
    return Outbox(place.store, place.location, place.make_durable)


def mail_transport(mail: Mail) -> Transport:
    """Hands messages to the configured server."""
    password = mail.password.get_secret_value() if mail.password else None

    def transport(ready: EmailMessage) -> Mapping[str, str]:
        return send_smtp(ready, mail.host, mail.port, mail.security, mail.username, password, mail.timeout_seconds)

    return transport

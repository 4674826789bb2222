"""The errata of the configuration that hold today: what the ledger corrects, and what its journals are built from."""

from models.errata import Erratum
from pipelines.config.errata import Erratum as Entry
from pipelines.house import House


def known_errors(house: House) -> list[Erratum]:
    """The errata that have not expired today, as the ledger takes them."""
    return [entry.known_error for entry in house.config.errata if not is_expired(house, entry)]


def is_expired(house: House, entry: Entry) -> bool:
    """Whether the last day of an erratum is over."""
    return entry.expires < house.clock().date()

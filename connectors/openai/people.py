"""What answers say about people by name, taken out of their bytes before anything is kept.

Here belongs: which members name people, and leaving all other bytes as they came. Here does not belong: what is staged.
"""

import json
import re
from collections.abc import Iterable, Iterator

from connectors.base import Bytes, IncompleteDeliveryError, Page
from connectors.gathered import read_bytes

PERSONAL = frozenset({"user_email", "user_name"})
_TEXT = re.compile(
    r'"(?:[^"\\]|\\.)*+"(?P<names>\s*:\s*)?', re.DOTALL
)  # one that names a member is followed by a colon
_DECODER = json.JSONDecoder()


def without_people(pages: Iterable[Page]) -> Iterator[Page]:
    """The pages; a member that names a person is null. A page that names nobody is the very same, byte for byte.

    Raises IncompleteDeliveryError for a page that ends within such a member, or is no text.
    """
    for page in pages:
        content = read_bytes(page.body, page.name)
        try:
            encoding = json.detect_encoding(content)
            text = content.decode(encoding, "surrogatepass")
            spared = _spared(text)
        except (ValueError, RecursionError):
            raise IncompleteDeliveryError(
                f"{page.name}: the page ends too early or is no JSON. Nothing was committed; fetch it again."
            ) from None
        yield page if spared == text else Page(page.name, Bytes(spared.encode(encoding, "surrogatepass")))


def _spared(text: str) -> str:
    """The JSON with null for what names people. Numbers keep their digits: nothing else is read, let alone written."""
    pieces, kept, at = list[str](), 0, 0
    while found := _TEXT.search(text, at):
        at = found.end()
        if (
            found["names"] is None
            or json.loads(text[found.start() : found.start("names")], strict=False) not in PERSONAL
        ):
            continue
        _, end = _DECODER.raw_decode(text, at)
        pieces += [text[kept:at], "null"]
        kept = at = end
    return "".join([*pieces, text[kept:]])

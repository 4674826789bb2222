"""File names of statements: safe whatever a team is called.

Here belongs: turning identities into names of files. Here does not belong: writing files.
"""

import hashlib
import re

from reports.given import Period

_SLUG_LIMIT = 60


def safe_name(identity: str) -> str:
    """A name of letters, digits and hyphens for any identity; two identities never share one.

    An identity that is such a name already keeps it. Any other gets a slug and the start of its SHA-256, so that
    `../../etc`, case twins and names of 300 characters stay apart and inside the folder.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", identity.lower()).strip("-")[:_SLUG_LIMIT]
    if slug == identity and not re.search(r"-[0-9a-f]{12}$", slug):
        return slug
    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{slug or 'team'}-{digest}"


def statement_filename(team_id: str, period: Period) -> str:
    """The name of a team's statement, such as `statement-2026-07-search.html`; it never holds a path separator."""
    return f"statement-{period.start:%Y-%m}-{safe_name(team_id)}.html"

"""What has to be said to reach a PostgreSQL database. `connectors.postgres` reads it."""

from typing import Literal

from pydantic import Field, SecretStr

from connectors.base import SourceSettings


class PostgresSettings(SourceSettings):
    """Where the database is, whom it is to be believed, and how long an answer may take."""

    dsn: SecretStr = Field(
        min_length=1,
        description="Connection string, by reference: postgresql://user:password@host:5432/database, of a user that "
        "may only read.",
    )
    tls: Literal["verify-full", "verify-ca", "require", "disable"] = Field(
        default="verify-full",
        description="`require` encrypts without looking at the certificate; `disable` is for a private way only.",
    )
    tls_root_certificate: str | None = Field(
        default=None, description="File of the authorities that are trusted, instead of the machine's own."
    )
    statement_seconds: int = Field(default=300, ge=1, le=7200, description="What one statement may take.")

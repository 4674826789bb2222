"""How a connector reads PostgreSQL: one read-only snapshot, row by row, and errors that say what to do.

Here belongs: the connection string, TLS, the transaction, what a table's columns are. Here does not belong: what the
rows mean. A connection string is secret as a whole; messages name the server and the database, nothing else of it.
"""

import re
import ssl
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict

from connectors.base import AuthenticationError, SourceError

_CONNECT_SECONDS = 20
_ROWS_TOGETHER = 2_000  # in memory at a time
_OF_PRISMA = frozenset(  # of Prisma's connection strings; libpq refuses what it does not know
    {
        "schema", "connection_limit", "pool_timeout", "pgbouncer", "socket_timeout", "statement_cache_size",
        "sslidentity", "sslaccept", "sslpassword", "max_idle_connection_lifetime", "single_use_connections",
    }
)  # fmt: skip
_REFUSED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry|role .* does not exist|"
    r"authentication failed|not permitted to log in|28P01|28000"
)
_UNTRUSTED = re.compile(r"certificate verify failed|does not match host name|root certificate file .* does not exist")


@dataclass(frozen=True)
class Server:
    """Where a database is and how it is spoken to: libpq's parameters, and words for messages."""

    parameters: Mapping[str, str]
    where: str
    schema: str | None

    def __repr__(self) -> str:
        return f"Server({self.where!r})"


def server_of(dsn: str, tls: str, root_certificate: str | None) -> Server:
    """The server of a connection string: an address `postgresql://user:password@host:port/database`, or `key=value`.

    Parameters that only Prisma knows are left out; its `schema` is kept. `tls` is libpq's sslmode. Nothing of the
    environment takes the place of host and user. Raises SourceError for what is no whole connection string.
    """
    plain, schema = _without_prisma(dsn)
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(plain).items() if value is not None}
    except psycopg.Error:
        raise SourceError(
            "dsn: that is no connection string; postgresql://user:password@host:5432/database was expected, special "
            "characters of the password percent-encoded"
        ) from None
    host, port, database = (given.get(name, standard) for name, standard in _STANDARD)
    if not host or "user" not in given:
        raise SourceError(
            "dsn: the connection string names no host or no user. Special characters of the password "
            "(@ / : ? #) must be percent-encoded"
        )
    if "@" in host + database or not re.fullmatch(r"\d+(,\d+)*", port):
        raise SourceError("dsn: special characters of the password (@ / : ? #) must be percent-encoded")
    trusted = {"sslrootcert": root_certificate or _system_certificates()} if tls.startswith("verify") else {}
    fixed = {"sslmode": tls, "options": "", "connect_timeout": str(_CONNECT_SECONDS), "client_encoding": "utf8"}
    return Server({**given, **fixed, **trusted}, f"PostgreSQL {host}:{port}, database {database}", schema)


_STANDARD = (("host", ""), ("port", "5432"), ("dbname", "postgres"))


@contextmanager
def snapshot(server: Server, statement_seconds: int) -> Generator["Snapshot"]:
    """One read-only transaction that sees the database as it was at its first question.

    Raises AuthenticationError when the server refuses the user, SourceError for everything else that it answers.
    """
    try:
        # a pool between may not keep prepared statements, so that none are made
        connection = psycopg.connect(**server.parameters, prepare_threshold=None)  # pyright: ignore[reportArgumentType]
    except psycopg.Error as error:
        raise _unreachable(error, server) from None
    try:
        with connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            connection.execute(
                "select set_config('statement_timeout', %(ms)s, true), set_config('lock_timeout', %(ms)s, true), "
                "set_config('timezone', 'UTC', true), set_config('extra_float_digits', '1', true)",
                {"ms": str(statement_seconds * 1000)},
            )
            yield Snapshot(connection)
    except psycopg.Error as error:
        raise _failed(error, server, statement_seconds) from None


@dataclass(frozen=True)
class Snapshot:
    """Questions to one state of the database."""

    connection: "psycopg.Connection[tuple[Any, ...]]"

    def columns(self, schema: str, table: str) -> dict[str, bool]:
        """The table's columns in their order, and whether each may be read; empty where there is no such table."""
        found = self.connection.execute(
            "select a.attname, has_schema_privilege(n.oid, 'usage') and has_column_privilege(c.oid, a.attnum, 'select')"
            " from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = %s and c.relname = %s and c.relkind in ('r', 'p', 'v', 'm', 'f')"
            " and a.attnum > 0 and not a.attisdropped order by a.attnum",
            (schema, table),
        ).fetchall()
        return {str(name): bool(may_read) for name, may_read in found}

    def row(self, question: sql.Composed, values: Mapping[str, object]) -> tuple[Any, ...]:
        """The one row that the question has."""
        found = self.connection.execute(question, values).fetchone()
        return found if found is not None else ()

    def rows(self, question: sql.Composed, values: Mapping[str, object]) -> Iterator[tuple[Any, ...]]:
        """The rows of a question, some thousand in memory at a time. JSON and text come as the bytes that were sent."""
        with self.connection.cursor(name="farthing") as cursor:
            cursor.adapters.register_loader("json", _Bytes)
            cursor.itersize = _ROWS_TOGETHER
            cursor.execute(question, values)
            yield from cursor


class _Bytes(Loader):
    """Text of a database without an encoding may be anything: it is not read here."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def _without_prisma(dsn: str) -> tuple[str, str | None]:
    """The connection string without parameters of Prisma, and the schema that they name."""
    if not dsn.startswith(("postgres://", "postgresql://")):
        return dsn, None
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return dsn, None
    asked = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name not in _OF_PRISMA]
    schema = next((value for name, value in asked if name == "schema" and value), None)
    return urlunsplit(parts._replace(query=urlencode(kept, quote_via=quote))), schema


def _system_certificates() -> str:
    """The machine's own list of authorities: that of the bundled library lies where no machine has one."""
    return ssl.get_default_verify_paths().cafile or "system"


def _unreachable(error: psycopg.Error, server: Server) -> SourceError:
    said = _scrubbed(str(error), server)
    if _REFUSED.search(said):
        return AuthenticationError(
            f"{server.where}: the server refuses the user ({said}). Check user and password in the connection string, "
            "and that pg_hba.conf lets this machine in."
        )
    if "does not support SSL" in said:
        remedy = "The server speaks no TLS. Turn it on there, or say `tls: disable` if the way to it is private."
    elif _UNTRUSTED.search(said):
        remedy = "Its certificate is not trusted. Give its authority as `tls_root_certificate`, or say `tls: require`."
    else:
        remedy = "Check host, port and database of the connection string, and that the server runs."
    return SourceError(f"{server.where}: no connection ({said}). {remedy}")


def _failed(error: psycopg.Error, server: Server, statement_seconds: int) -> SourceError:
    said, remedy = _scrubbed(error.diag.message_primary or str(error), server), "Nothing was committed; run again."
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        remedy = "Grant the user the right to read what the README names."
    elif isinstance(error, psycopg.errors.QueryCanceled):
        remedy = (
            f"A statement is given {statement_seconds} seconds (`statement_seconds`). If the index on "
            '("startTime", request_id) is missing, create it; of a standby, raise max_standby_streaming_delay.'
        )
    return SourceError(f"{server.where}: the question failed ({said}). {remedy}")


def _scrubbed(message: str, server: Server) -> str:
    """The library's words on one line, without the password."""
    words = " ".join(message.split())[:400]
    secret = server.parameters.get("password", "")
    return words.replace(secret, "***") if len(secret) > 3 else words

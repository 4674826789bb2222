"""What every log of requests has in common, whichever gateway, tracer or cloud wrote it.

Here belongs: what of a value may be landed, points in time, token arithmetic, files of rows, and the way from an
attempt to a row of `gateway_requests`. Here does not belong: the fields of any one log.

A new log is its settings, its allow-list and a reader (`source.StoredLog` for files; `source.RequestLog`, with a
`fetch` that ends in `landing.land_rows` and a `probe`, for an API or a database)::

    class Acme(StoredLog[AcmeSettings]):          # AcmeSettings(StoredLogSettings): what only Acme needs
        kind: ClassVar[str] = "acme"
        settings_model: ClassVar[type[SourceSettings]] = AcmeSettings
        essential: ClassVar[frozenset[str]] = frozenset({"id", "time"})

        def allow_list(self, settings: AcmeSettings) -> AllowList:   # what is not named here never reaches disk
            rules = rules_of(settings.hash_key)
            return allow_list({"id": rules.text, "time": instant, "user": rules.person, "usage": {"in": count}})

        def started(self, settings: AcmeSettings, row: Mapping[str, Any]) -> int | None:   # before the allow-list
            return microseconds(row.get("time"))

        def cost(self, settings: AcmeSettings, record: Record) -> str | None:              # in USD
            return record.get("cost")

        def read(self, settings: AcmeSettings, record: Record) -> Attempt:                 # after the allow-list
            used = exclusive(Counts(record["usage"].get("in"), record["usage"].get("out")), CONVENTIONS["acme"])
            return Attempt(record.get("id"), microseconds(record.get("time")), "success", usage=used)

That is all that is needed. A log of very many rows may also say what its commonest ones look like, and is read faster
by it: `plain` (see `plain_lines`), `columns` (see `columns`); the results are the same.

How Acme counts is a line of `conventions`. A provider's own answer that a log hands on is read by
`usage_bodies.read_body`.
"""

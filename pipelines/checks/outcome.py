"""What came of one check."""

from dataclasses import dataclass

from contracts import Severity


@dataclass(frozen=True)
class Outcome:
    """One check's result. `broken_count` is how many rows break it, None where the rule is about the whole table."""

    table: str
    name: str
    passed: bool
    severity: Severity
    broken_count: int | None
    examples: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the run must stop."""
        return not self.passed and self.severity is Severity.FAIL

    def text(self) -> str:
        """One line for people."""
        count = "" if self.broken_count is None else f": {self.broken_count} rows"
        return f"{self.table}: {self.name} {'holds' if self.passed else 'is broken'}{count} {self.examples}".rstrip()

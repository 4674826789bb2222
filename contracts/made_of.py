"""What a row of a table is made of, as data: the rows above it, the figures that are their sums, and all others.

Here belongs: the words of such a declaration. Here does not belong: reading rows, holding sums against figures
(`pipelines.explain` does).
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MadeOfRows(_Strict):
    """The rows of one other table that a row is made of. In every expression `u` is a row there, `m` the row itself.

    `{table}` is the other table as a whole, which may be read under another name.
    """

    table: str
    name: str = Field(default="", description="what to call them, where a table is named twice; else the table's name")
    same: tuple[str, ...] = Field(default=(), description="columns that both have, and that are equal")
    equal: Mapping[str, str] = Field(default={}, description="column of the row: what it is of the other table's row")
    where: str = Field(default="true", description="which of them, where that is no equality")
    sums: Mapping[str, str] = Field(default={}, description="figure: what each of the rows adds to it")
    taken: Mapping[str, str] = Field(default={}, description="figure: an aggregate of the rows that is no sum")
    months_before: int = Field(default=0, ge=0, description="how many months further back they may lie")
    months_after: int = Field(default=0, ge=0, description="how many months later they may lie")

    @property
    def title(self) -> str:
        """What they are called."""
        return self.name or self.table


class Ratio(_Strict):
    """A figure that is one sum over another, NULL where the other is nothing, to the last place that the figure has."""

    of: str
    by: str


class Modelled(_Strict):
    """Figures that a model computes out of the rows: these are its inputs, all of them."""

    by: str = Field(description="the module, or the SQL")
    rules: str = Field(default="", description="module:name of the version of its rules; else the program's")
    libraries: tuple[str, ...] = Field(default=(), description="libraries whose version decides, too")
    figures: tuple[str, ...]
    how: str


class MadeOf(_Strict):
    """Every figure of a table is in one of these. A formula may name figures of the row `m` and of the rows' sums `p`.

    `stated` are figures that are nobody's sum, with where they stand.
    """

    rows: tuple[MadeOfRows, ...] = ()
    formulas: Mapping[str, str] = {}
    ratios: Mapping[str, Ratio] = {}
    modelled: tuple[Modelled, ...] = ()
    stated: Mapping[str, str] = {}

    @model_validator(mode="after")
    def _told_apart(self) -> "MadeOf":
        titles = [part.title for part in self.rows]
        if len(set(titles)) != len(titles):
            raise ValueError(f"rows of one table are named twice: give each a name (found {', '.join(titles)})")
        return self

    @property
    def figures(self) -> frozenset[str]:
        """All figures that are spoken of."""
        of_rows = (name for part in self.rows for name in (*part.sums, *part.taken))
        of_models = (name for model in self.modelled for name in model.figures)
        return frozenset([*of_rows, *self.formulas, *self.ratios, *of_models, *self.stated])

"""Pages of AWS's answers as rows of a fact: the way that is the same for prices, spot prices and commitments."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from connectors.aws.answers import AnswerPage, read_answer, require_whole
from connectors.base import LandedPage, Parsed, SourceSettings, Window
from connectors.exact import json_text
from connectors.gathered import Gathered, StagedRow

Record = tuple[object, Callable[[], StagedRow]]
"""A record as it came, and what stages it."""


def parsed_answers(
    fact: str,
    settings: SourceSettings,
    window: Window,
    pages: Iterable[LandedPage],
    records: Callable[[AnswerPage], Iterable[Record]],
    remarks: Callable[[Sequence[AnswerPage]], Iterable[str]] = lambda _: (),
) -> Iterator[Parsed]:
    """Rows and refusals in bounded chunks. A record that one page or several hold twice is staged once and counted.

    Raises IncompleteDeliveryError when a question's pages are not all there, or two contradict each other.
    """
    gathered = Gathered(fact, settings, window)
    read = [(page.page_id, read_answer(page.body, page.name)) for page in sorted(pages, key=lambda page: page.digest)]
    require_whole(answer for _, answer in read)
    repeated = 0
    for page_id, answer in read:
        told = set[str]()
        for number, (found, stage) in enumerate(records(answer), start=1):
            said = json_text(found)
            if said in told:
                repeated += 1
                continue
            told.add(said)
            gathered.take(page_id, number, found, stage, answer.name)
        if gathered.is_full:
            yield gathered.chunk()
    last = gathered.chunk([*gathered.notices(), *remarks([answer for _, answer in read])])
    yield replace(last, duplicate_count=last.duplicate_count + repeated)

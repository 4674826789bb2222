"""Pages of AWS's answers as rows of a fact: the way that is the same for prices, spot prices and commitments."""

from collections.abc import Callable, Iterable, Iterator
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
    remarks: Callable[[], Iterable[str]],
) -> Iterator[Parsed]:
    """Rows and refusals in bounded chunks. A record that one page or several hold twice is staged once and counted.

    `records` gives those of a page; `remarks` is asked once all pages were read.

    Raises IncompleteDeliveryError when a question's pages are not all there, or two contradict each other.
    """
    gathered = Gathered(fact, settings, window)
    links: list[AnswerPage] = []
    repeated = 0
    for page in sorted(pages, key=lambda page: page.digest):
        answer = read_answer(page.body, page.name)
        links.append(replace(answer, answer={}))
        told = set[str]()
        for number, (found, stage) in enumerate(records(answer), start=1):
            said = json_text(found)
            if said in told:
                repeated += 1
                continue
            told.add(said)
            gathered.take(page.page_id, number, found, stage, answer.name)
        if gathered.is_full:
            yield gathered.chunk()
    require_whole(links)
    last = gathered.chunk([*gathered.notices(), *remarks()])
    yield replace(last, duplicate_count=last.duplicate_count + repeated)

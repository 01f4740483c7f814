"""The lines that tell a reader what is being done, and what was understood of a question."""

from archive.articles import Period
from server.events import Status
from server.periods import describe_period
from server.retrieval import Retrieved
from server.understanding import Language, Question
from server.wording import decimal, say


def searching(question: Question, period: Period | None) -> str:
    """What is searched, in which period."""
    language = question.language
    known = [describe_period(period, language)] if period else []
    known += [say(question.leaning, language)] if question.leaning else []
    return say("searching_period", language, period=", ".join(known)) if known else say("searching", language)


def read(question: Question, period: Period | None, found: Retrieved, reports: str, ms: float) -> str:
    """What was read, in which time, and whether a period had to be widened."""
    language = question.language
    note = ""
    if period is not None:
        described = describe_period(period, language)
        note = f" ({described})"
        if found.loosened:
            wider = describe_period(found.period, language) if found.period else say("all_time", language)
            note = say("loosened", language, period=described, wider=wider)
    return say("read", language, count=reports, seconds=decimal(ms / 1000, language), note=note)


def broken_off(language: Language) -> Status:
    """The end of an answer that failed: the line before it would tell on and on that something is being done."""
    return Status(say("broken_off", language), done=True)


def understood(question: Question, period: Period | None, found: Retrieved, form: str) -> dict[str, object]:
    """How a question was read, for clients."""
    return {
        "query": question.search,
        "language": question.language,
        "form": form,
        "followup": question.is_followup,
        "parts": list(question.parts),
        "leaning": question.leaning,
        "from": period.start.isoformat() if period and period.start else None,
        "to": period.end.isoformat() if period and period.end else None,
        "loosened": found.loosened,
    }

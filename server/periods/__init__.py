"""When a question means: expressions of time are found (grammar), read (readings) and related to their question."""

from server.periods.timing import Leaning, Timing, describe_period, names_part_of_year, understand_time
from server.periods.widening import wider, with_day_after

__all__ = ["Leaning", "Timing", "describe_period", "names_part_of_year", "understand_time", "wider", "with_day_after"]

"""When a question means: expressions of time are found (grammar), read (readings) and related to their question."""

from server.periods.timing import Leaning, Timing, describe_period, understand_time

__all__ = ["Leaning", "Timing", "describe_period", "understand_time"]

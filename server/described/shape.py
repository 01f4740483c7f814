"""How shapes are written: they hold their keys and no others."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A JSON object of a response."""

    model_config = ConfigDict(extra="forbid")

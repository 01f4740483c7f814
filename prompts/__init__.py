"""The words we say to the model and in its place: Markdown templates, German first.

A template is `<name>.<language>.md` beside this file; `{placeholders}` in it are filled by render(). An editor changes
tone and rules there and nowhere else.
"""

from prompts.templates import check_templates, render

__all__ = ["check_templates", "render"]

"""What does a source file say beside the members of an enum?

The words of states, events, exit codes and error codes each have their meaning in a comment on their line;
the manual shows that comment, so that there is one place to say it.
"""

from __future__ import annotations

import ast
import inspect
import io
import tokenize
from enum import Enum


def words_beside(kind: type[Enum]) -> dict[str, str]:
    """Return the comment on each member's line, by the member's name; empty where there is none."""
    source = inspect.getsource(kind)
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        node.targets[0].id: comments.get(node.lineno, "")
        for node in body.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }

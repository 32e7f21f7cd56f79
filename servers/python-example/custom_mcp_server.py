"""A server of your own in Python: replace the tools, keep the rest.

What it needs is in requirements.txt, at exact versions; how it runs is in server.json. Standard output is MCP's: write to
standard error, which `cargo xtask logs python-example` shows.
"""

import re
import sys
from collections import Counter
from typing import Annotated

from mcp.server.mcpserver import MCPServer
from pydantic import BaseModel, Field

server = MCPServer("python-example", version="0.1.0", log_level="WARNING")
# Each session has a process of its own: what is here is this session's alone.
notes: list[str] = []


class Statistics(BaseModel):
    characters: int
    words: int
    lines: int
    most_frequent: list[str] = Field(description="At most five words, the most frequent first")


@server.tool()
def text_statistics(text: Annotated[str, Field(max_length=100_000)]) -> Statistics:
    """Count the characters, words and lines of a text, and find its most frequent words."""
    words = re.findall(r"\w+", text.lower())
    frequent = [word for word, _ in Counter(words).most_common(5)]
    return Statistics(
        characters=len(text), words=len(words), lines=len(text.splitlines()), most_frequent=frequent
    )


@server.tool()
def take_note(note: Annotated[str, Field(min_length=1, max_length=1_000)]) -> list[str]:
    """Keep a note for the rest of this session; returns all notes."""
    if len(notes) == 100:
        raise ValueError("100 notes are kept and no more: start a new session")
    notes.append(note)
    return notes


if __name__ == "__main__":
    print("python-example is ready", file=sys.stderr)
    server.run()

from typing import Annotated
from fastmcp import FastMCP
from pydantic import BaseModel, Field

mcp = FastMCP("dice")

class Rolled(BaseModel):
    points: list[int]

@mcp.tool(annotations={"readOnlyHint": True})
def roll(
    sides: Annotated[int, Field(ge=2, le=100, description="How many sides each die has.")],
    dice: Annotated[int, Field(ge=1, le=10, description="How many dice to roll.")],
) -> Rolled:
    """Rolls dice."""
    return Rolled(points=[1 + it % sides for it in range(dice)])

if __name__ == "__main__":
    mcp.run()

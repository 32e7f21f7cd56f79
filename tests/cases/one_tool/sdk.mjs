import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "dice", version: "0.1.0" });

server.registerTool(
  "roll",
  {
    description: "Rolls dice.",
    inputSchema: {
      sides: z.number().int().min(2).max(100).describe("How many sides each die has."),
      dice: z.number().int().min(1).max(10).describe("How many dice to roll."),
    },
    outputSchema: { points: z.array(z.number().int()) },
    annotations: { readOnlyHint: true },
  },
  async ({ sides, dice }) => {
    const structuredContent = { points: Array.from({ length: dice }, (_, it) => 1 + (it % sides)) };
    return { structuredContent, content: [{ type: "text", text: JSON.stringify(structuredContent) }] };
  },
);

await server.connect(new StdioServerTransport());

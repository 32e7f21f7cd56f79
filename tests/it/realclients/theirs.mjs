// A server that is not ours, with one tool: over stdio, or with `http TOKEN` on a free port, which it prints.
import { createInterface } from "node:readline";
import { createServer } from "node:http";

const tool = { name: "their_tool", description: "Theirs", inputSchema: { type: "object", properties: {} } };
const serverInfo = { name: "theirs", version: "1.0.0" };
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo }),
  ping: () => ({}),
  "tools/list": () => ({ tools: [tool] }),
};

// The answer to a message, as text; nothing to a notification.
function answer(text) {
  const { id, method, params } = JSON.parse(text);
  if (id === undefined) return undefined;
  const known = answers[method];
  const body = known ? { result: known(params) } : { error: { code: -32601, message: "Method not found" } };
  return JSON.stringify({ jsonrpc: "2.0", id, ...body });
}

function overStdio() {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const said = answer(line);
    if (said) process.stdout.write(said + "\n");
  });
}

// Streamable HTTP without a stream or a session; only who knows the token gets through.
function overHttp(token) {
  const server = createServer(async (request, response) => {
    if (request.url !== "/mcp") return response.writeHead(404).end();
    if (request.headers.authorization !== `Bearer ${token}`) return response.writeHead(401).end();
    if (request.method !== "POST") return response.writeHead(405, { allow: "POST" }).end();
    let text = "";
    for await (const part of request) text += part;
    const said = answer(text);
    if (!said) return response.writeHead(202).end();
    response.writeHead(200, { "content-type": "application/json" }).end(said);
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.on("end", () => process.exit()).resume();
}

const [mode, token] = process.argv.slice(2);
if (mode === "http") overHttp(token);
else overStdio();

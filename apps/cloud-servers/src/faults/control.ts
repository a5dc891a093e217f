import type { IncomingMessage } from "node:http";
import type { FaultPlan } from "./fault-plan.ts";
import { parseFaultRules } from "./fault-rule.ts";
import type { Reply } from "./reply.ts";

/** Where tools in other processes set faults. No bucket can have this name. */
export const faultsPath = "/-/faults";

const controlBytesMax = 65_536;

/**
 * Serves {@link faultsPath}: POST adds a rule or a list of them, GET tells the rules with their counts, DELETE ends all.
 * Not signed: it is for tests on one machine.
 */
export async function controlFaults(request: IncomingMessage, plan: FaultPlan): Promise<Reply> {
  switch (request.method) {
    case "GET":
      return json(200, {
        injected: plan.injected,
        rules: plan.rules.map(({ rule, matched, injected }) => ({ rule, matched, injected })),
      });
    case "DELETE":
      plan.clear();
      return json(200, { rules: 0 });
    case "POST":
      return add(await bodyText(request), plan);
    default:
      return json(405, { error: "want GET, POST or DELETE" });
  }
}

function add(text: string | undefined, plan: FaultPlan): Reply {
  if (text === undefined) return json(413, { error: `want at most ${controlBytesMax} bytes` });
  try {
    const rules = parseFaultRules(text, plan.kinds);
    for (const rule of rules) plan.add(rule);
    return json(200, { rules: plan.rules.length });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return json(400, { error: error.message });
  }
}

async function bodyText(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.byteLength;
    if (bytes <= controlBytesMax) pieces.push(piece);
  }
  return bytes <= controlBytesMax ? Buffer.concat(pieces).toString("utf8") : undefined;
}

function json(status: number, value: unknown): Reply {
  return { status, headers: { "content-type": "application/json" }, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

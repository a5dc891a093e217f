import type { FaultPlan } from "./fault-plan.ts";
import { parseFaultRules } from "./fault-rule.ts";
import type { Reply } from "./reply.ts";
import { type Arrival, arrivingBody, heldBody } from "./request-body.ts";

/** Where tools in other processes set faults. No bucket can have this name. */
export const faultsPath = "/-/faults";

const controlBytesMax = 65_536;

/**
 * Serves {@link faultsPath}: POST adds a rule or a list of them, GET tells the rules with their counts, DELETE ends all.
 * Asks for no credentials: it is for tests on one machine. Rejects with ClientGone when the client goes away.
 */
export async function controlFaults(arrival: Arrival, plan: FaultPlan): Promise<Reply> {
  switch (arrival.request.method) {
    case "GET":
      return json(200, {
        injected: plan.injected,
        rules: plan.rules.map(({ rule, matched, injected }) => ({ rule, matched, injected })),
      });
    case "DELETE":
      plan.clear();
      return json(200, { rules: 0 });
    case "POST":
      return add(await heldBody(arrivingBody(arrival), controlBytesMax), plan);
    default:
      return json(405, { error: "want GET, POST or DELETE" });
  }
}

function add(body: readonly Uint8Array[] | undefined, plan: FaultPlan): Reply {
  if (body === undefined) return json(413, { error: `want at most ${controlBytesMax} bytes` });
  try {
    const rules = parseFaultRules(Buffer.concat(body).toString("utf8"), plan.kinds);
    for (const rule of rules) plan.add(rule);
    return json(200, { rules: plan.rules.length });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return json(400, { error: error.message });
  }
}

function json(status: number, value: unknown): Reply {
  return { status, headers: { "content-type": "application/json" }, body: Buffer.from(`${JSON.stringify(value)}\n`) };
}

import type { Agent } from "node:http";

/**
 * Closes all connections of `agent`, and lets it open none any more: one that is only destroyed connects anew for each
 * request in its queues. Those requests get no answer and no error, which is for the caller to tell.
 */
export function closeAgent(agent: Agent): void {
  agent.createConnection = () => undefined;
  agent.destroy();
}

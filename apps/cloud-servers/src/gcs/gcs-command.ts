import { parseArgs } from "node:util";
import { commonFaultKinds, parseFaultRules } from "../faults/fault-rule.ts";
import type { ServerCommand } from "../server-command.ts";
import { type GcsServerOptions, startGcsServer } from "./gcs-server.ts";

/** `gcs` on the command line. */
export const gcsCommand: ServerCommand = {
  usage: [
    "--bucket <name>...            buckets that exist",
    "--port <number>               default: a free one",
    "--token <text>                asked of every request as a bearer token",
    "--faults <JSON>               a rule or a list of rules",
    "--discard-bodies              keep sizes and checksums only",
  ],
  async start(args) {
    const server = await startGcsServer(readOptions(args));
    return { url: server.url, host: "127.0.0.1", port: server.port, close: () => server.close() };
  },
};

function readOptions(args: readonly string[]): GcsServerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      bucket: { type: "string", multiple: true },
      port: { type: "string" },
      token: { type: "string" },
      faults: { type: "string" },
      "discard-bodies": { type: "boolean" },
    },
  });
  const port = Number(values.port ?? 0);
  if (values.port === "" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`--port: got ${values.port}, want 0..65535`);
  }
  return {
    buckets: values.bucket ?? [],
    port,
    discardBodies: values["discard-bodies"] === true,
    ...(values.token !== undefined && { token: values.token }),
    ...(values.faults !== undefined && { faults: parseFaultRules(values.faults, commonFaultKinds) }),
  };
}

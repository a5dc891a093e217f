import { parseArgs } from "node:util";
import { parseFaultRules } from "../faults/fault-rule.ts";
import type { ServerCommand } from "../server-command.ts";
import { quirkNames, type S3ServerOptions } from "./options.ts";
import { s3FaultKinds, startS3Server } from "./s3-server.ts";

/** `s3` on the command line. */
export const s3Command: ServerCommand = {
  usage: [
    "--bucket <name>...            buckets that exist",
    "--port <number>               default: a free one",
    "--region <name>               default us-east-1",
    "--access-key-id <id> --secret-access-key <key>   without them, signatures are not checked",
    "--faults <JSON>               a rule or a list of rules",
    `--quirk <name>...             ${quirkNames.join(", ")}`,
    "--discard-bodies              keep sizes and digests only",
  ],
  start: (args) => startS3Server(readOptions(args)),
};

function readOptions(args: readonly string[]): S3ServerOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      bucket: { type: "string", multiple: true },
      port: { type: "string" },
      region: { type: "string" },
      "access-key-id": { type: "string" },
      "secret-access-key": { type: "string" },
      faults: { type: "string" },
      quirk: { type: "string", multiple: true },
      "discard-bodies": { type: "boolean" },
    },
  });
  const { "access-key-id": accessKeyId, "secret-access-key": secretAccessKey } = values;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw new RangeError("--access-key-id and --secret-access-key go together");
  }
  return {
    buckets: values.bucket ?? [],
    discardBodies: values["discard-bodies"] === true,
    quirks: Object.fromEntries((values.quirk ?? []).map((name) => [name, true])),
    ...(values.port !== undefined && { port: values.port === "" ? Number.NaN : Number(values.port) }),
    ...(values.region !== undefined && { region: values.region }),
    ...(values.faults !== undefined && { faults: parseFaultRules(values.faults, s3FaultKinds) }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
  };
}

import { parseArgs } from "node:util";
import type { ServerCommand } from "../server-command.ts";
import { startRadosgw } from "./radosgw-server.ts";

/** `radosgw` on the command line. */
export const radosgwCommand: ServerCommand = {
  usage: [
    "--access-key-id <id> --secret-access-key <key>   of its user; needed",
    "--bucket <name>...            buckets that exist",
  ],
  start(args, signal) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        bucket: { type: "string", multiple: true },
        "access-key-id": { type: "string" },
        "secret-access-key": { type: "string" },
      },
    });
    const { "access-key-id": accessKeyId = "", "secret-access-key": secretAccessKey = "" } = values;
    if (accessKeyId === "" || secretAccessKey === "") {
      throw new RangeError("--access-key-id and --secret-access-key are needed");
    }
    return startRadosgw({ credentials: { accessKeyId, secretAccessKey }, buckets: values.bucket ?? [], signal });
  },
};

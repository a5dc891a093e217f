/** Arguments of the store programs. */
import { parseArgs } from "node:util";
import { oneOf, wholeNumber } from "./arguments.ts";
import { type BackendName, backendNames } from "./store-backends.ts";
import { type Job, jobs } from "./store-plan.ts";

export interface StoreArguments {
  readonly endpoint: string;
  readonly dir: string;
  readonly backend: BackendName;
  readonly job: Job;
  readonly items: number;
}

export const storeUsage: string = `ENDPOINT DIR --backend NAME --job NAME [--items N]
  ENDPOINT   scheme, host and port of the store
  DIR        holds the ledger of what the client was told
  --backend  ${backendNames.join(", ")}
  --job      ${jobs.join(", ")}
  --items N  objects, or swaps (default 3)
`;

/** @throws TypeError or RangeError that says what is wrong */
export function storeArguments(args: readonly string[]): StoreArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { backend: { type: "string" }, job: { type: "string" }, items: { type: "string" } },
  });
  const [endpoint, dir, ...others] = positionals;
  if (endpoint === undefined || dir === undefined || others.length > 0) throw new TypeError("want ENDPOINT and DIR");
  if (!URL.canParse(endpoint)) throw new RangeError(`ENDPOINT: got ${endpoint}, want a URL`);
  const backend = oneOf(values, "backend", backendNames);
  const job = oneOf(values, "job", jobs);
  if (backend === undefined || job === undefined) throw new TypeError("want --backend and --job");
  const items = wholeNumber(values, "items", 3);
  if (items === 0) throw new RangeError("--items: got 0, want at least 1");
  return { endpoint, dir, backend, job, items };
}

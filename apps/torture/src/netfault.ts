/**
 * The network between a client and its store, as data: each request of a job is broken in every way the tool knows, once
 * and from then on, over a fresh store each time.
 *
 * The proxy passes the client's `Host` on, so a signature that covers it (Shared Key, SigV4) still fits: the client signs
 * for the proxy's address, and the server compares with what arrives. This needs plain HTTP and a server that does not
 * insist on a name of its own.
 */
import type { CampaignRun } from "./campaign.ts";
import type { BackendName } from "./store-backends.ts";
import type { Job } from "./store-plan.ts";

interface NetfaultCase {
  readonly backend: BackendName;
  readonly job: Job;
  readonly items: number;
  /** Faults of the sample; without them it leaves the case out. */
  readonly sampleFaults?: string;
}

const cases: readonly NetfaultCase[] = [
  { backend: "s3", job: "put", items: 1 },
  { backend: "s3", job: "create", items: 1, sampleFaults: "commitReset" },
  { backend: "s3", job: "multipart", items: 1, sampleFaults: "commit503" },
  { backend: "s3", job: "copy", items: 1 },
  { backend: "s3", job: "swap", items: 2 },
  { backend: "s3", job: "delete", items: 3 },
  { backend: "gcs", job: "put", items: 1 },
  { backend: "gcs", job: "create", items: 1, sampleFaults: "commitReset" },
  { backend: "gcs", job: "multipart", items: 1, sampleFaults: "commit503" },
  { backend: "gcs", job: "copy", items: 1 },
  { backend: "gcs", job: "swap", items: 2, sampleFaults: "commitClose" },
  { backend: "gcs", job: "delete", items: 3 },
  { backend: "azure", job: "put", items: 1 },
  { backend: "azure", job: "create", items: 1, sampleFaults: "commitReset" },
  { backend: "azure", job: "multipart", items: 1 },
  { backend: "azure", job: "copy", items: 1 },
  { backend: "azure", job: "swap", items: 2 },
  { backend: "azure", job: "delete", items: 3 },
];

/** The client's own deadlines end a call within 5 s, and its upload is dropped within 5 more. */
const clientTimeoutMs = 30_000;

function netfault({ backend, job, items, sampleFaults }: NetfaultCase): CampaignRun {
  const work = `--backend ${backend} --job ${job} --items ${items}`;
  return {
    campaign: "netfault",
    configuration: work,
    inSample: sampleFaults !== undefined,
    work: {
      tool: "netfault.mjs",
      args: (context) => [
        ...["--store", context.storeServer(backend)],
        ...["--client", context.storeClient(`{url} {dir} ${work}`)],
        ...["--check", context.storeCheck(`{url} {dir} ${work}`)],
        ...["--timeout", String(clientTimeoutMs), "--jobs", String(context.jobs)],
        ...(context.isSample ? ["--faults", sampleFaults ?? "", "--max", "2"] : ["--sticky"]),
      ],
    },
  };
}

export const netfaultRuns: readonly CampaignRun[] = cases.map(netfault);

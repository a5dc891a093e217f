// The campaigns must find what they are for: a run of a fault tool over a writer with a defect has to fail, and over the
// real one to pass. Needs the fault tools; without them only the command line is tested.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { campaignNames, programs, shellQuote } from "../src/campaign.ts";
import { campaignRuns } from "../src/campaigns.ts";
import { Child } from "../src/child.ts";
import { copyFaultTools, findFaultTools } from "../src/fault-tools.ts";
import { runTool } from "../src/run-tool.ts";

const dist = resolve(import.meta.dirname, "../dist");
const tools = findFaultTools(process.env);
const root = mkdtempSync(join(tmpdir(), "varve-campaigns-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const node = shellQuote(process.execPath);

async function torture(
  args: string,
  environment: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = new Child(`env ${environment} ${node} ${shellQuote(join(dist, "main.js"))} ${args}`);
  const { code } = await child.ended;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

describe("the list of campaigns", () => {
  it("has every campaign, in the full run and in the sample, each configuration once", () => {
    expect(new Set(campaignRuns.map((run) => run.campaign))).toEqual(new Set(campaignNames));
    expect(new Set(campaignRuns.filter((run) => run.inSample).map((run) => run.campaign))).toEqual(
      new Set(campaignNames),
    );
    const names = campaignRuns.map((run) => `${run.campaign} ${run.configuration}`);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("the command line", () => {
  it("skips the sample loudly where the tools are missing, and fails everything else", async () => {
    const sample = await torture("--sample", "VARVE_FAULTS=/nonexistent");
    expect(sample).toMatchObject({ code: 0, stdout: "" });
    expect(sample.stderr).toContain("Nothing was tested");
    expect(await torture("powerloss", "VARVE_FAULTS=/nonexistent")).toMatchObject({ code: 2, stdout: "" });
  });

  it.each(["earthquake", "--sample --full", "--only nothing-like-it", "--seed x", "--nonsense"])(
    "prints its usage for %s",
    async (args) => {
      const { code, stderr } = await torture(args, "A=1");
      expect(code).toBe(2);
      expect(stderr).toContain("usage: ");
    },
  );

  it("lists what it would run", async () => {
    const { code, stdout } = await torture("crashloop mangle --list", "A=1");
    expect(code).toBe(0);
    expect(stdout.trim().split("\n")).toHaveLength(
      campaignRuns.filter(({ campaign }) => campaign === "crashloop" || campaign === "mangle").length,
    );
  });
});

describe.skipIf(tools === undefined)("power loss", () => {
  const { writer, verifier } = programs(dist);
  const tool = join(root, "tools");

  it("passes the real writer and fails one that acknowledges too early", async () => {
    copyFaultTools(tools as string, tool);
    const early = `${node} ${shellQuote(join(import.meta.dirname, "fixtures/early-writer.ts"))} {dir}`;
    const over = (command: string): string =>
      [process.execPath, join(tool, "powerloss.mjs"), "--writer", command, "--verify-batch", verifier("--batch")]
        .concat(["--fs", "strict", "--policies", "drop,all", "--max-states", "150"])
        .map(shellQuote)
        .join(" ");
    expect(await runTool(over(writer("{dir} --n 12 --strategy batched:5")))).toMatchObject({
      passed: true,
      failures: [],
    });
    const caught = await runTool(over(early));
    expect(caught.passed).toBe(false);
    expect(caught.failures.join()).toContain("LOST_ACKED");
  });
});

describe.skipIf(tools === undefined)("the network", () => {
  const { storeClient, storeCheck, storeServer } = programs(dist);
  const tool = join(root, "network-tools");

  it("passes the real client and fails one that takes silence for success", async () => {
    copyFaultTools(tools as string, tool);
    const args = "{url} {dir} --backend gcs --job create --items 1";
    const over = (client: string): string =>
      [process.execPath, join(tool, "netfault.mjs"), "--store", storeServer("gcs"), "--client", client]
        .concat(["--check", storeCheck(args), "--faults", "reset", "--max", "1", "--sticky"])
        .map(shellQuote)
        .join(" ");
    expect(await runTool(over(storeClient(args)))).toEqual({ passed: true, counts: { runs: 2 }, failures: [] });
    const optimist = `${node} ${shellQuote(join(import.meta.dirname, "fixtures/optimistic-client.ts"))} ${args}`;
    const caught = await runTool(over(optimist));
    expect(caught.passed).toBe(false);
    expect(caught.failures.join()).toMatch(/LOST \(reset sticky\): 1; first .*lost, [0-9a-f]{32} was acknowledged/);
  }, 180_000);
});

/** What a campaign run is made of: plain data, so that the list of them reads as one. */
import { join } from "node:path";

export const campaignNames = ["powerloss", "crashloop", "syscallfault", "mangle", "fence", "netfault"] as const;
export type CampaignName = (typeof campaignNames)[number];

/** Commands of the programs that the tools run, by their arguments. */
export interface Programs {
  readonly writer: (args: string) => string;
  readonly verifier: (args: string) => string;
  readonly storeClient: (args: string) => string;
  readonly storeCheck: (args: string) => string;
  readonly storeServer: (args: string) => string;
}

/** What a run may use. Commands are for `/bin/sh`; `{dir}` in them is the tools' business. */
export interface RunContext extends Programs {
  readonly isSample: boolean;
  readonly seed: number;
  /** Crash states per durability model at most, `Infinity` for all. */
  readonly statesMax: number;
  /** Worker processes a tool may use. */
  readonly jobs: number;
  /** Where this run leaves a failing state. Exists when the run begins. */
  readonly keepDir: string;
  /** A directory for what the run itself prepares; removed afterwards. */
  readonly workDir: string;
}

export interface CampaignRun {
  readonly campaign: CampaignName;
  /** One line that tells this run from the others of its campaign. */
  readonly configuration: string;
  /** Whether the sample has it, in a smaller form. */
  readonly inSample: boolean;
  /** A fault tool and its arguments, or work of our own. */
  readonly work:
    | {
        readonly tool: string;
        readonly args: (context: RunContext) => readonly string[];
        readonly prepare?: (context: RunContext) => string;
      }
    | { readonly own: (context: RunContext) => Promise<ToolResult> };
}

/** What came of a run. */
export interface ToolResult {
  readonly passed: boolean;
  /** Counts by name: states, rounds, runs, copies. */
  readonly counts: Readonly<Record<string, number>>;
  /** What broke, one line each; the tool's own words. */
  readonly failures: readonly string[];
}

export interface RunResult extends ToolResult {
  readonly campaign: CampaignName;
  readonly configuration: string;
  readonly seconds: number;
  /** The command of the tool, to repeat it; empty for work of our own. */
  readonly command: string;
  /** Where a failing state was kept. */
  readonly kept: string | undefined;
}

/** Shell commands of the programs. The servers are a development dependency, so what starts them lies with the tests. */
export function programs(distDir: string): Programs {
  const command = (name: string) => (args: string) =>
    [process.execPath, join(distDir, name)].map(shellQuote).join(" ") + (args === "" ? "" : ` ${args}`);
  return {
    writer: command("writer.js"),
    verifier: command("verifier.js"),
    storeClient: command("store-client.js"),
    storeCheck: command("store-check.js"),
    storeServer: command("../test/fixtures/store-server.ts"),
  };
}

export function shellQuote(text: string): string {
  return /^[\w./:=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

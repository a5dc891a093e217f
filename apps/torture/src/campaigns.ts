/**
 * Every run, as data. A row says what the writer does; the tools do the breaking.
 *
 * Payloads and segments are small on purpose: what matters is the number of borders between operations, not of bytes.
 */
import { join } from "node:path";
import { type CampaignRun, type RunContext, shellQuote } from "./campaign.ts";
import { fenceRun } from "./fence.ts";
import { netfaultRuns } from "./netfault.ts";

interface PowerlossCase {
  readonly writer: string;
  readonly verifier?: string;
  /** What lies in the directory before; counts as durable. */
  readonly before?: string;
  readonly env?: string;
  readonly fault?: string;
  /** Crash states per durability model at most; default all, up to the tool's 20 000. */
  readonly statesMax?: number;
  readonly inSample?: true;
}

/** What a record's body may hold, all of it. */
const content = "--compress --encrypt --extras";

const powerlossCases: readonly PowerlossCase[] = [
  { writer: "--n 50", inSample: true },
  { writer: "--n 50 --batch 6" },
  { writer: "--n 60 --size 900", verifier: "--thorough", statesMax: 1500 },
  { writer: "--n 60 --size 900 --batch 4" },
  { writer: "--n 50 --durable 4" },
  { writer: "--n 60 --strategy async --size 400" },
  { writer: "--n 60 --strategy async --batch 8", verifier: "--thorough", statesMax: 1500 },
  { writer: "--n 60 --strategy batched:5" },
  { writer: "--n 60 --strategy batched:7 --size 900 --batch 4", inSample: true },
  { writer: "--n 50 --strategy batched:5 --flush-on main --size 400" },
  { writer: "--n 50 --strategy periodic:5 --pace 1 --size 400" },
  { writer: "--n 50 --strategy batched-or-periodic:10:5 --pace 1 --batch 5" },
  { writer: "--n 60 --strategy batched-or-periodic:10:5 --durable 6 --batch 5 --size 400" },
  { writer: "--n 40 --strategy batched:3 --size 9000 --segment-size 65536" },
  { writer: "--n 50 --index lmdb --size 400", verifier: "--index lmdb", env: "LMDB_RESTORE=safe" },
  { writer: "--n 50 --index lmdb --strategy batched:5 --size 900", verifier: "--index lmdb", env: "LMDB_RESTORE=safe" },
  { before: "--n 30 --die", writer: "--n 30", inSample: true },
  { before: "--n 40 --strategy async --batch 5 --size 600 --die", writer: "--n 30 --strategy batched:5" },
  { before: "--n 30 --size 900", writer: "--n 20 --size 900", verifier: "--thorough", statesMax: 1500 },
  { writer: "--n 40 --size 600 --compress --encrypt --extras --batch 4", inSample: true },
  { writer: "--n 60 --size 400 --trim 12 --cursor", verifier: "--thorough", statesMax: 2500, inSample: true },
  { writer: `--n 60 --size 700 --strategy batched:5 --trim 15 --cursor --batch 4 ${content}` },
  {
    writer: `--n 50 --size 700 --strategy async --trim 15 --cursor ${content} --index lmdb`,
    verifier: "--index lmdb",
    env: "LMDB_RESTORE=safe",
  },
  { before: `--n 40 --size 700 ${content} --die`, writer: `--n 20 --size 700 ${content}` },
  { writer: "--n 40 --reopen 3", fault: "sync:9:EIO" },
  { writer: "--n 40 --reopen 3 --size 900 --strategy batched:5", fault: "write:12:ENOSPC" },
];

function powerloss({
  writer,
  verifier = "",
  before,
  env,
  fault,
  statesMax = 20_000,
  inSample,
}: PowerlossCase): CampaignRun {
  const notes = [before === undefined ? "" : `after ${before}`, fault === undefined ? "" : `with ${fault}`, verifier];
  return {
    campaign: "powerloss",
    configuration: [writer, ...notes.filter((note) => note !== "")].join(", "),
    inSample: inSample === true,
    work: {
      tool: "powerloss.mjs",
      args: (context) => [
        ...["--writer", context.writer(`{dir} ${writer}`)],
        ...[
          "--verify-batch",
          context.verifier(
            ["--batch", verifier, before === undefined ? "" : `--before ${beforeFile(context)}`].join(" "),
          ),
        ],
        // A writer that kills itself ends with an error, which is as it should be.
        ...(before === undefined
          ? []
          : ["--setup", `${context.writer(`{dir} ${before}`)} > ${beforeFile(context)}; true`]),
        ...(env === undefined ? [] : ["--verify-env", env]),
        ...(fault === undefined ? [] : ["--fault", fault]),
        "--twice",
        ...["--nested", context.isSample ? "2" : "20"],
        ...["--continue", context.writer("{dir} --n 5 --seed 2"), "--continue-sample", context.isSample ? "4" : "20"],
        ...["--max-states", String(Math.min(statesMax, context.isSample ? 400 : context.statesMax))],
        ...common(context),
        ...["--keep", context.keepDir],
      ],
    },
  };
}

const crashloopCases: readonly { readonly writer: string; readonly rounds: number; readonly inSample?: true }[] = [
  { writer: "--forever", rounds: 300, inSample: true },
  { writer: "--forever --strategy async --pace 1 --batch 5", rounds: 300 },
  { writer: "--forever --durable 16 --strategy batched-or-periodic:50:20 --pace 1 --size 600", rounds: 300 },
  { writer: "--forever --index lmdb --strategy batched:10 --pace 1", rounds: 300 },
  {
    writer: `--forever --size 500 --strategy batched:10 --pace 1 --trim 40 --cursor ${content}`,
    rounds: 300,
    inSample: true,
  },
];

function crashloop({ writer, rounds, inSample }: (typeof crashloopCases)[number]): CampaignRun {
  const verifier = writer.includes("--index lmdb") ? "--index lmdb" : "";
  return {
    campaign: "crashloop",
    configuration: writer,
    inSample: inSample === true,
    work: {
      tool: "crashloop.mjs",
      args: (context) => [
        ...["--writer", context.writer(`{dir} ${writer}`)],
        // The batch form checks; the other one is killed half-way now and then.
        ...["--verify-batch", context.verifier(`--batch ${verifier}`.trim())],
        ...["--verify", context.verifier(`{dir} ${verifier}`.trim())],
        ...["--rounds", context.isSample ? "25" : String(rounds)],
        ...["--rival", "0.05", "--term", "0.1", "--fresh", "25", "--start-timeout", "60000"],
        ...["--verify-timeout", "120000", "--term-ms", "20000"],
        ...["--dir", context.keepDir, "--seed", String(context.seed)],
      ],
    },
  };
}

const syscallfaultCases: readonly { readonly writer: string; readonly inSample?: true }[] = [
  { writer: "--n 50", inSample: true },
  { writer: "--n 50 --size 900 --batch 4" },
  { writer: "--n 50 --size 900 --strategy batched:5" },
  { writer: "--n 30 --size 900 --reopen 2" },
  { writer: `--n 50 --size 700 --trim 12 --cursor ${content}`, inSample: true },
];

function syscallfault({ writer, inSample }: (typeof syscallfaultCases)[number]): CampaignRun {
  return {
    campaign: "syscallfault",
    configuration: writer,
    inSample: inSample === true,
    work: {
      tool: "syscallfault.mjs",
      args: (context) => [
        ...["--writer", context.writer(`{dir} ${writer}`)],
        ...["--verify-batch", context.verifier("--batch")],
        ...["--sticky", "--power", "--typed", "^[A-Z_]+: ", "--timeout", "60000", "--jobs", String(context.jobs)],
        ...(context.isSample ? ["--max", "2"] : []),
      ],
    },
  };
}

/** Three sessions, so that a log of a few kilobytes has three segments, each small enough for every bit of it. */
const threeSegments = ["--n 8 --size 60 --batch 3", "--n 8 --size 60 --seed 2", "--n 8 --size 60 --seed 3"];
const logFiles = "^(MANIFEST|KEYS|CURSORS|segment_)";
/** The same with everything on; the trim leaves whole and cut segments behind. */
const everything = threeSegments.map(
  (session) => `${session.replace("--n 8", "--n 12")} --trim 14 --cursor ${content}`,
);

interface MangleCase {
  readonly name: string;
  readonly sessions: readonly string[];
  readonly verifier?: string;
  readonly files: string;
  readonly kinds?: string;
  /** Variants per file and kind; 0 for all. */
  readonly max: number;
  readonly inSample?: true;
}

const allButBits = "truncate,byte,zero,garbage,append,len,dup,delete,empty,swap,dir,alien,tailcopy";
const died = threeSegments.with(2, "--n 8 --size 60 --seed 3 --die");

const mangleCases: readonly MangleCase[] = [
  { name: "closed, every bit", sessions: threeSegments, files: logFiles, kinds: "bit", max: 0 },
  {
    name: "closed, all other damage",
    sessions: threeSegments,
    files: logFiles,
    kinds: allButBits,
    max: 0,
    inSample: true,
  },
  { name: "died, every bit", sessions: died, files: logFiles, kinds: "bit", max: 0 },
  { name: "died, all other damage", sessions: died, files: logFiles, kinds: allButBits, max: 0 },
  { name: "closed, salvage", sessions: threeSegments, verifier: "--recovery salvage", files: logFiles, max: 300 },
  { name: "closed, strict", sessions: threeSegments, verifier: "--recovery strict", files: logFiles, max: 300 },
  { name: "closed, thorough", sessions: threeSegments, verifier: "--thorough", files: logFiles, max: 300 },
  { name: "everything on, every bit", sessions: everything, files: logFiles, kinds: "bit", max: 0 },
  {
    name: "everything on, all other damage",
    sessions: everything,
    files: logFiles,
    kinds: allButBits,
    max: 0,
    inSample: true,
  },
  { name: "everything on, salvage", sessions: everything, verifier: "--recovery salvage", files: logFiles, max: 300 },
  { name: "file index", sessions: threeSegments, files: "^index/", max: 0, inSample: true },
  {
    name: "lmdb index",
    sessions: threeSegments.map((session) => `${session} --index lmdb`),
    verifier: "--index lmdb",
    files: "^index/",
    max: 2000,
  },
];

function mangle({ name, sessions, verifier = "", files, kinds, max, inSample }: MangleCase): CampaignRun {
  return {
    campaign: "mangle",
    configuration: [name, verifier].filter((part) => part !== "").join(", "),
    inSample: inSample === true,
    work: {
      tool: "mangle.mjs",
      prepare: (context) =>
        `${sessions.map((session) => context.writer(`${shellQuote(join(context.workDir, "log"))} ${session}`)).join(" ; ")} ; true`,
      args: (context) => [
        ...["--source", join(context.workDir, "log")],
        ...["--verify-batch", context.verifier(`--batch ${verifier}`.trim())],
        ...["--files", files, "--max", context.isSample ? "40" : String(max)],
        ...(kinds === undefined ? [] : ["--kinds", kinds]),
        ...["--record-max", "4096", "--disposable", "^index/", "--seed", String(context.seed)],
        ...["--keep", context.keepDir],
      ],
    },
  };
}

/** For the shell. */
function beforeFile(context: RunContext): string {
  return shellQuote(join(context.workDir, "before"));
}

function common(context: RunContext): string[] {
  return ["--jobs", String(context.jobs), "--seed", String(context.seed), "--writer-timeout", "120000"];
}

/** In the order in which they run. */
export const campaignRuns: readonly CampaignRun[] = [
  ...powerlossCases.map(powerloss),
  ...syscallfaultCases.map(syscallfault),
  ...crashloopCases.map(crashloop),
  ...mangleCases.map(mangle),
  fenceRun("--forever --pace 2", "--n 40"),
  fenceRun("--forever --pace 1 --strategy batched:4", "--n 40 --strategy async"),
  ...netfaultRuns,
];

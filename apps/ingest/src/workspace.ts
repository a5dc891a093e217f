import { join } from "node:path";
import { type Clock, type FileSystem, LocalFileSystem } from "@varve/fs-core";
import type { LogSizing } from "./drill-plan.ts";

/** What the steps of a run share: where things are, how large the log is, and how to stop. */
export interface Workspace {
  /** The run's directory. */
  readonly dir: string;
  readonly files: FileSystem;
  /** The main log's directory. */
  readonly logDir: string;
  /** What is sent, a record a line, in `files`. */
  readonly inputPath: string;
  /** Records in it. */
  readonly records: number;
  readonly sizing: LogSizing;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Tells a person who waits what goes on; often called, rarely shown. */
  readonly progress: (text: string) => void;
}

/** Everything that follows from the run's directory. */
export function placesIn(dir: string): Pick<Workspace, "dir" | "files" | "logDir" | "inputPath"> {
  return { dir, files: new LocalFileSystem(dir), logDir: join(dir, "log"), inputPath: "input.ndjson" };
}

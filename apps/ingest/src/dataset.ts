/** Where the records come from: the flights of the npm package vega-datasets, or anyone's NDJSON. */
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { addAbortSignal, type Readable } from "node:stream";
import type { FileSystem } from "@varve/fs-core";
import { IngestError } from "./errors.ts";
import { JsonArraySplitter } from "./json-array-splitter.ts";
import { LineSplitter, type Splitter } from "./line-splitter.ts";
import { RecordFileWriter } from "./record-file.ts";

/** What was read. Plain JSON. */
export interface InputSummary {
  readonly name: string;
  readonly records: number;
  /** Of all records together. */
  readonly bytes: number;
  readonly longestBytes: number;
  /** Lines of nothing, which are no records. */
  readonly blankLines: number;
  /** Lines that are not JSON. They are records all the same: a log does not look into them. */
  readonly badJsonLines: number;
  readonly firstBadJsonLine: number | undefined;
}

/** The longest line taken: it is held in memory some times over, by its writer and by those who compare it. */
export const lineBytesMax: number = 32 * 1024 * 1024;

const chunkBytes = 256 * 1024;
const flightsFile = "flights-200k.json";
const datedFlightsFile = "flights-20k.json";

export interface SpoolOptions {
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
}

/**
 * Copies the records of the input to a file of the run's directory, a record a line. Everything is appended from there
 * and compared with it, so that an input that can be read once only, or changes meanwhile, does no harm.
 * @param input a path, `-` for standard input, undefined for the flights
 * @throws IngestError `NO_INPUT`, `INPUT_UNREADABLE`, `LINE_TOO_LONG`, `USAGE` for a directory
 */
export async function spoolInput(
  input: string | undefined,
  files: FileSystem,
  path: string,
  { signal, progress }: SpoolOptions,
): Promise<InputSummary> {
  const lines = new LineSplitter(lineBytesMax);
  const splitter: Splitter = input === undefined ? new JsonArraySplitter() : lines;
  const name = input === undefined ? await packageFileName(flightsFile) : input === "-" ? "standard input" : input;
  const counts = { records: 0, bytes: 0, longestBytes: 0, blankLines: 0, badJsonLines: 0 };
  let firstBadJsonLine: number | undefined;

  const spool = await RecordFileWriter.create(files, path);
  const take = async (pieces: Iterable<Uint8Array>): Promise<void> => {
    for (const piece of pieces) {
      if (isBlank(piece)) {
        counts.blankLines++;
        continue;
      }
      if (input !== undefined && !isJson(piece)) {
        counts.badJsonLines++;
        firstBadJsonLine ??= lines.lines;
      }
      counts.records++;
      counts.bytes += piece.length;
      counts.longestBytes = Math.max(counts.longestBytes, piece.length);
      if (spool.add(piece)) await spool.flush();
    }
    progress(`reading ${name}: ${counts.records} records`);
  };
  try {
    for await (const chunk of openInput(input, signal)) await take(splitter.push(chunk as Uint8Array));
    await take(splitter.end());
    await spool.flush();
  } catch (error) {
    signal.throwIfAborted();
    throw inputError(error, name);
  } finally {
    await spool[Symbol.asyncDispose]();
  }
  return { name, ...counts, firstBadJsonLine };
}

function openInput(input: string | undefined, signal: AbortSignal): Readable {
  if (input === "-") return addAbortSignal(signal, process.stdin);
  return createReadStream(input ?? packageFile(flightsFile), { highWaterMark: chunkBytes, signal });
}

/** A record and the time it stands for. */
export interface DatedRecord {
  readonly timestampUs: number;
  readonly record: Uint8Array;
}

/** 20,000 flights of early 2001 by their time of departure, taken as UTC, oldest first. */
export async function readDatedFlights(signal: AbortSignal): Promise<DatedRecord[]> {
  const splitter = new JsonArraySplitter();
  const flights: DatedRecord[] = [];
  try {
    const stream = createReadStream(packageFile(datedFlightsFile), { highWaterMark: chunkBytes, signal });
    for await (const chunk of stream) {
      for (const record of splitter.push(chunk as Uint8Array))
        flights.push({ timestampUs: departureUs(record), record });
    }
    for (const record of splitter.end()) flights.push({ timestampUs: departureUs(record), record });
  } catch (error) {
    signal.throwIfAborted();
    throw inputError(error, datedFlightsFile);
  }
  return flights.sort((a, b) => a.timestampUs - b.timestampUs);
}

/** @param record a flight whose `date` is like `2001/01/31 23:59` */
export function departureUs(record: Uint8Array): number {
  const { date } = JSON.parse(Buffer.from(record).toString()) as { date?: unknown };
  const match = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d)$/.exec(String(date));
  if (match === null)
    throw new IngestError("INPUT_UNREADABLE", `a flight has the date ${String(date)}, want YYYY/MM/DD hh:mm`);
  const [year, month, day, hour, minute] = match.slice(1).map(Number) as [number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute) * 1000;
}

/** The package exports its code only; its data lies beside that. */
function packageFile(name: string): URL {
  return new URL(`../data/${name}`, import.meta.resolve("vega-datasets"));
}

async function packageFileName(name: string): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL("../package.json", packageFile(name)), "utf8")) as {
    version: string;
  };
  return `${name} of vega-datasets ${manifest.version}`;
}

function inputError(error: unknown, name: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const isOfSystem = error instanceof Error && "syscall" in error;
  if (!isOfSystem) return error;
  if (code === "ENOENT") return new IngestError("NO_INPUT", `${name}: no such file`, { cause: error });
  if (code === "EISDIR")
    return new IngestError("USAGE", `${name} is a directory, want a file of NDJSON`, { cause: error });
  return new IngestError("INPUT_UNREADABLE", `${name} cannot be read: ${error.message}`, { cause: error });
}

function isBlank(line: Uint8Array): boolean {
  return line.length === 0 || (line.length === 1 && line[0] === 0x0d);
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function isJson(line: Uint8Array): boolean {
  try {
    JSON.parse(decoder.decode(line));
    return true;
  } catch {
    return false;
  }
}

import { parseArgs } from "node:util";
import type { AofSettings, FlushOn } from "@varve/aof";
import { type FlushStrategy, parseFlushStrategy } from "@varve/flush-metrics";
import { type IndexKind, indexKinds, oneOf, wholeNumber } from "./arguments.ts";

export interface WriterOptions {
  readonly dir: string;
  /** Records to append, `Infinity` with `--forever`. */
  readonly count: number;
  readonly strategy: FlushStrategy;
  readonly flushOn: FlushOn | undefined;
  /** Records in an atomic batch at most; 1 for no batches. */
  readonly batchMax: number;
  /** Concurrent callers of `appendDurable`; 0 for one caller of `append`. */
  readonly durableCallers: number;
  readonly segmentSizeBytes: number;
  readonly bufferBytes: number;
  readonly payloadBytesMax: number;
  readonly indexKind: IndexKind;
  /** Milliseconds between bursts of appends; 0 for one turn of the event loop. */
  readonly paceMs: number;
  /** How often to open again and go on after a failure. */
  readonly reopens: number;
  /** Tell of every record found at the start as if it had been appended now. */
  readonly announce: boolean;
  readonly takeOver: boolean;
  readonly compress: boolean;
  readonly encrypt: boolean;
  /** Trim now and then, keeping about so many of the newest records; 0: never. */
  readonly keepRecords: number;
  /** Commit a cursor now and then. */
  readonly cursor: boolean;
  /** Give records headers, expiries in the far future, and dedupe keys. */
  readonly extras: boolean;
  /** Kill this process after the last append instead of closing. */
  readonly die: boolean;
  readonly seed: number;
}

export const writerUsage = `usage: node dist/writer.js DIR [options]
  --n N               append N records, then close (default 50)
  --forever           append until killed; SIGTERM closes
  --strategy S        sync (default) | async | batched:N | periodic:MS | batched-or-periodic:N:MS
  --flush-on WHERE    main | pool (default: the log's own)
  --batch N           append some records as atomic batches of 2..N
  --durable C         C concurrent callers of appendDurable instead of append
  --segment-size B    segmentSizeBytes (default 4096)
  --buffer B          bufferBytes (default 65536)
  --size B            payloads of up to B bytes (default 200)
  --index KIND        file (default) | lmdb | memory | auto
  --pace MS           wait so long between bursts (default: one turn of the event loop)
  --reopen N          after a failure close, open and go on, N times at most (default 0)
  --announce          print T and A for every record that is there at the start
  --take-over         take the log over from a writer that holds it
  --compress          zstd on every record that gets smaller
  --encrypt           AES-256-GCM, with the key that the verifier has
  --trim N            trim and apply retention now and then, keeping about N records
  --cursor            commit a cursor now and then; every record says how far it was
  --extras            headers, expiries and dedupe keys on some records
  --die               SIGKILL itself after the last append instead of closing
  --seed N            what is random about sizes, bursts and batches (default 1)
`;

/** @throws TypeError or RangeError that says what is wrong with the arguments */
export function parseWriterOptions(args: readonly string[]): WriterOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      n: { type: "string" },
      forever: { type: "boolean" },
      strategy: { type: "string" },
      "flush-on": { type: "string" },
      batch: { type: "string" },
      durable: { type: "string" },
      "segment-size": { type: "string" },
      buffer: { type: "string" },
      size: { type: "string" },
      index: { type: "string" },
      pace: { type: "string" },
      reopen: { type: "string" },
      announce: { type: "boolean" },
      "take-over": { type: "boolean" },
      compress: { type: "boolean" },
      encrypt: { type: "boolean" },
      trim: { type: "string" },
      cursor: { type: "boolean" },
      extras: { type: "boolean" },
      die: { type: "boolean" },
      seed: { type: "string" },
    },
  });
  const [dir] = positionals;
  if (dir === undefined || positionals.length > 1) throw new TypeError("want exactly one directory");
  const count = wholeNumber(values, "n", 50);
  return {
    dir,
    count: values.forever === true ? Number.POSITIVE_INFINITY : count,
    strategy: parseFlushStrategy(values.strategy ?? "sync"),
    flushOn: oneOf(values, "flush-on", ["main", "pool"]),
    batchMax: wholeNumber(values, "batch", 1),
    durableCallers: wholeNumber(values, "durable", 0),
    segmentSizeBytes: wholeNumber(values, "segment-size", 4096),
    bufferBytes: wholeNumber(values, "buffer", 65536),
    payloadBytesMax: wholeNumber(values, "size", 200),
    indexKind: oneOf(values, "index", indexKinds) ?? "file",
    paceMs: wholeNumber(values, "pace", 0),
    reopens: wholeNumber(values, "reopen", 0),
    announce: values.announce === true,
    takeOver: values["take-over"] === true,
    compress: values.compress === true,
    encrypt: values.encrypt === true,
    keepRecords: wholeNumber(values, "trim", 0),
    cursor: values.cursor === true,
    extras: values.extras === true,
    die: values.die === true,
    seed: wholeNumber(values, "seed", 1),
  };
}

/** What `Aof.open` gets. */
export function writerSettings(options: WriterOptions): AofSettings {
  return {
    dir: options.dir,
    flushStrategy: options.strategy,
    segmentSizeBytes: options.segmentSizeBytes,
    bufferBytes: options.bufferBytes,
    indexKind: options.indexKind,
    takeOver: options.takeOver,
    ...(options.compress ? { compression: { minBytes: 0 } } : {}),
    ...(options.encrypt ? { encryption: true } : {}),
    ...(options.keepRecords > 0 ? { retention: { maxRecords: options.keepRecords } } : {}),
    ...(options.extras ? { dedupeWindow: { maxRecords: 50 } } : {}),
    ...(options.flushOn === undefined ? {} : { flushOn: options.flushOn }),
  };
}

import { Aof, type AofSettings, defaultAofSettings, maxPayloadBytes } from "@varve/aof";
import { flushStrategyForms, parseFlushStrategy } from "@varve/flush-metrics";
import { Acknowledger } from "../appending/acknowledger.ts";
import { type AppendSummary, summaryText } from "../appending/append-summary.ts";
import { Appender } from "../appending/appender.ts";
import type { Arguments } from "../arguments.ts";
import { usageError } from "../cli-error.ts";
import { assertNotAFile } from "../directory.ts";
import { parseFraming } from "../framing/framing.ts";
import { LengthSplitter } from "../framing/length-splitter.ts";
import { LineSplitter } from "../framing/line-splitter.ts";
import type { RecordSplitter } from "../framing/record-splitter.ts";
import { exitCode } from "../exit-codes.ts";
import { OutputClosed } from "../process/output.ts";
import { parseSize } from "../values/size.ts";
import { logDirectory, type Shell, type Verb } from "../verb.ts";

export const append: Verb = {
  name: "append",
  summary: "append records from standard input",
  operands: [{ ...logDirectory, meaning: "the log's directory; made when it does not exist" }],
  options: [
    {
      name: "ack",
      meaning:
        "print each record's id once it is durable, in order; no id is printed that a power failure can take back",
    },
    {
      name: "framing",
      value: "line|length",
      meaning: "line (default): one record a line; length: a little-endian u32 with its length before each record",
    },
    {
      name: "strategy",
      value: "WHEN",
      meaning: `when to flush: ${flushStrategyForms.join(", ")}. Default batched-or-periodic:100:1000`,
    },
    { name: "segment-size", value: "BYTES", meaning: "size of new segments, 4096 to 4GiB. Default 64MiB" },
  ],
  notes: [
    "A line's newline is not part of its record, a carriage return is. A last line without a newline counts. Everything is durable when the command ends, whatever the strategy.",
    "With --ack and no --strategy, each id appears as soon as the disk allows, and what arrives meanwhile shares the next flush. With --strategy, ids appear when that flushes.",
    "Ctrl-C stops reading, makes what was appended durable and ends with 130. A line or frame that is not complete then is left out. When whoever reads stdout leaves, it ends the same way, quietly, with 0.",
  ],
  examples: [
    { does: "append the lines of a file", command: "varve append logs/orders < orders.ndjson" },
    { does: "acknowledge each line of a producer", command: "producer | varve append logs/orders --ack" },
    {
      does: "copy any bytes from one log to another",
      command: "varve cat logs/a --framing length | varve append logs/b --framing length",
    },
  ],
  run: runAppend,
};

async function runAppend(args: Arguments, shell: Shell): Promise<number> {
  const settings = readSettings(args);
  const splitter = makeSplitter(args, settings);
  await assertNotAFile(settings.dir);
  shell.stop.listen();
  const log = await Aof.open(settings);
  for (const message of log.recovery.messages) shell.notes.line(message);
  return new AppendRun(args, shell, log, splitter).run();
}

/** One open log taking in standard input. Whatever happens, what was appended is made durable and the log is closed. */
class AppendRun {
  readonly #shell: Shell;
  readonly #log: Aof;
  readonly #splitter: RecordSplitter;
  readonly #isJson: boolean;
  readonly #appender: Appender;
  readonly #acknowledger: Acknowledger | undefined;
  readonly #beganUs: number;
  readonly #failures: unknown[] = [];
  #isOutputClosed = false;

  constructor(args: Arguments, shell: Shell, log: Aof, splitter: RecordSplitter) {
    this.#shell = shell;
    this.#log = log;
    this.#splitter = splitter;
    this.#isJson = args.has("json");
    this.#appender = new Appender(log, shell.clock);
    this.#beganUs = shell.clock.monotonicUs();
    const isEager = args.text("strategy") === undefined;
    if (args.has("ack")) this.#acknowledger = new Acknowledger(log, shell.output, { isEager, isJson: this.#isJson });
  }

  async run(): Promise<number> {
    for (const step of [
      () => this.#takeInput(),
      () => this.#acknowledger?.finish(),
      () => this.#log.close(),
      () => this.#report(),
    ]) {
      try {
        await step();
      } catch (error) {
        if (error instanceof OutputClosed) this.#isOutputClosed = true;
        else this.#failures.push(error);
      }
    }
    if (this.#failures.length > 0) throw this.#failures[0];
    return exitCode.ok;
  }

  async #takeInput(): Promise<void> {
    const { input, notes, stop } = this.#shell;
    if (input.isTerminal) notes.line("one record a line; Ctrl-D ends");
    const until =
      this.#acknowledger === undefined ? stop.signal : AbortSignal.any([stop.signal, this.#acknowledger.failed]);
    for await (const chunk of input.chunks(until)) {
      await this.#appendAll(this.#splitter.push(chunk), until);
    }
    if (!until.aborted) await this.#appendAll(this.#splitter.end(), until);
  }

  async #appendAll(records: Iterable<Uint8Array>, until: AbortSignal): Promise<void> {
    for (const record of records) {
      const wait = this.#appender.append(record);
      if (wait === undefined) continue;
      await wait;
      await this.#acknowledger?.noteAppended();
      if (until.aborted) return;
    }
    await this.#acknowledger?.noteAppended();
  }

  async #report(): Promise<void> {
    const summary = this.#summary();
    if (!this.#isJson) this.#shell.notes.line(summaryText(summary));
    else if (!this.#isOutputClosed) await this.#shell.output.write(`${JSON.stringify(summary)}\n`);
  }

  #summary(): AppendSummary {
    const { records, bytes, firstId } = this.#appender;
    const seconds = (this.#shell.clock.monotonicUs() - this.#beganUs) / 1e6;
    const { outcome, messages } = this.#log.recovery;
    return {
      records,
      bytes,
      firstId: records === 0 ? null : firstId,
      lastId: records === 0 ? null : firstId + records - 1,
      durableId: this.#log.durableId,
      acknowledged: this.#acknowledger?.count ?? null,
      seconds: Math.round(seconds * 1000) / 1000,
      recordsPerSecond: Math.round(records / Math.max(seconds, 1e-6)),
      ended: this.#ending(),
      recovery: { outcome, messages },
    };
  }

  #ending(): AppendSummary["ended"] {
    if (this.#failures.length > 0) return "failure";
    if (this.#shell.stop.received !== undefined) return "signal";
    return this.#isOutputClosed ? "output-closed" : "input-end";
  }
}

function readSettings(args: Arguments): AofSettings & { readonly segmentSizeBytes: number } {
  const strategy = args.text("strategy");
  const size = args.text("segment-size");
  return {
    dir: args.operand("dir"),
    segmentSizeBytes: size === undefined ? defaultAofSettings.segmentSizeBytes : parseSegmentSize(size),
    ...(strategy === undefined ? {} : { flushStrategy: parseStrategy(strategy) }),
  };
}

function makeSplitter(args: Arguments, { segmentSizeBytes }: { readonly segmentSizeBytes: number }): RecordSplitter {
  const maxRecordBytes = maxPayloadBytes(segmentSizeBytes);
  const framing = parseFraming(args.text("framing"), ["line", "length"]);
  return framing === "length" ? new LengthSplitter(maxRecordBytes) : new LineSplitter(maxRecordBytes);
}

function parseSegmentSize(text: string): number {
  const bytes = parseSize(text, "--segment-size");
  if (bytes < 4096 || bytes > 2 ** 32 || bytes % 8 !== 0) {
    throw usageError(`--segment-size: got ${text}, want 4096 to 4GiB, a multiple of 8`);
  }
  return bytes;
}

function parseStrategy(text: string): NonNullable<AofSettings["flushStrategy"]> {
  try {
    return parseFlushStrategy(text);
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`--strategy: ${error.message}`);
    throw error;
  }
}

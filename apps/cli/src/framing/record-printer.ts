import type { AofRecord } from "@varve/aof";
import type { Output } from "../process/output.ts";
import type { Framing } from "./framing.ts";
import { toJsonLine } from "./record-text.ts";

/** Bytes gathered before they are written: large enough that a system call costs nothing per record. */
const pieceBytes = 256 * 1024;

/** Writes records to the output, as fast as whoever reads it takes them. */
export class RecordPrinter {
  readonly #output: Output;
  readonly #form: Framing | "json";

  constructor(output: Output, form: Framing | "json") {
    this.#output = output;
    this.#form = form;
  }

  /** Resolves when all of them are handed over and there is room for more. @throws OutputClosed, CliError */
  async print(records: Iterable<AofRecord>): Promise<void> {
    let pending: Uint8Array[] = [];
    let bytes = 0;
    for (const record of records) {
      bytes += this.#encode(record, pending);
      if (bytes < pieceBytes) continue;
      await this.#output.write(Buffer.concat(pending, bytes));
      pending = [];
      bytes = 0;
    }
    if (bytes > 0) await this.#output.write(Buffer.concat(pending, bytes));
  }

  /** @returns bytes added to `into` */
  #encode(record: AofRecord, into: Uint8Array[]): number {
    const { payload } = record;
    switch (this.#form) {
      case "json": {
        const line = Buffer.from(toJsonLine(record));
        into.push(line);
        return line.length;
      }
      case "line":
        into.push(payload, newline);
        return payload.length + 1;
      case "length": {
        const prefix = Buffer.allocUnsafe(4);
        prefix.writeUInt32LE(payload.length);
        into.push(prefix, payload);
        return 4 + payload.length;
      }
      case "none":
        into.push(payload);
        return payload.length;
    }
  }
}

const newline = Uint8Array.of(0x0a);

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
  print(records: Iterable<AofRecord>): Promise<void> {
    return this.#form === "json" ? this.#printJson(records) : this.#printBytes(records, this.#form);
  }

  async #printJson(records: Iterable<AofRecord>): Promise<void> {
    let text = "";
    for (const record of records) {
      text += toJsonLine(record);
      if (text.length < pieceBytes) continue;
      await this.#output.write(text);
      text = "";
    }
    if (text !== "") await this.#output.write(text);
  }

  async #printBytes(records: Iterable<AofRecord>, framing: Framing): Promise<void> {
    let pending: Uint8Array[] = [];
    let bytes = 0;
    for (const record of records) {
      bytes += addFrame(record.payload, framing, pending);
      if (bytes < pieceBytes) continue;
      await this.#output.write(Buffer.concat(pending, bytes));
      pending = [];
      bytes = 0;
    }
    if (bytes > 0) await this.#output.write(Buffer.concat(pending, bytes));
  }
}

const newline = Uint8Array.of(0x0a);

/** @returns bytes added to `into` */
function addFrame(payload: Uint8Array, framing: Framing, into: Uint8Array[]): number {
  switch (framing) {
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

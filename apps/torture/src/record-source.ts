import type { Random } from "@varve/fs-core";
import { buildPayload, type Floors } from "./record-identity.ts";

/** Makes payloads that no other writer process, and no other call, ever makes. */
export class RecordSource {
  readonly #run: string;
  readonly #random: Random;
  readonly #payloadBytesMax: number;
  #serial = 0;
  /** What has been acknowledged so far; goes into every payload once it is set. */
  floors: Floors | undefined;

  /** @param run 16 hexadecimal digits, random for each process */
  constructor(run: string, random: Random, payloadBytesMax: number) {
    this.#run = run;
    this.#random = random;
    this.#payloadBytesMax = payloadBytesMax;
  }

  /** The payloads of one append: one, or those of an atomic batch. */
  take(size: number): Uint8Array[] {
    return Array.from({ length: size }, (_, index) => {
      const bytes = this.#random.int(this.#payloadBytesMax + 1);
      const floors = this.floors === undefined ? {} : { floors: this.floors };
      return buildPayload({ run: this.#run, serial: this.#serial++, index, size, ...floors }, bytes, this.#random);
    });
  }
}

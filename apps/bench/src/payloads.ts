import { SeededRandom } from "@varve/fs-core/testing";

const count = 64;

/** A few noisy payloads of one size, taken in turn: filling them must cost nothing in a measured loop. */
export function payloadsOf(bytes: number): (index: number) => Uint8Array {
  const random = new SeededRandom(bytes);
  const payloads = Array.from({ length: count }, () => random.fill(new Uint8Array(bytes)));
  return (index) => payloads[index % count] as Uint8Array;
}

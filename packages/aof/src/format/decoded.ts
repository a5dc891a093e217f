/**
 * What a fixed-size structure turned out to be. Magic, then version, then checksum: each failure calls for another
 * action, so each has a name of its own.
 */
export type Decoded<T> =
  | { readonly kind: "ok"; readonly value: T }
  /** The magic is not ours: a foreign file, or nothing was ever written. */
  | { readonly kind: "foreign" }
  /** Ours, whole, and written by a later version. */
  | { readonly kind: "newer"; readonly version: number }
  /** Ours once, but the checksum or a field is wrong. */
  | { readonly kind: "damaged"; readonly reason: string };

export function damaged(reason: string): { kind: "damaged"; reason: string } {
  return { kind: "damaged", reason };
}

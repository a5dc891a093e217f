/**
 * What a child process tells its parent: a line of text each, words separated by spaces, as a pair of pure functions.
 *
 *     opened EPOCH NEXT_ID         the log is open
 *     sending ID                   about to append records up to ID
 *     durable ID HASH              all up to ID is acknowledged as durable; HASH is of what this writer appended so far
 *     resting ID                   appended and acknowledged all that it was asked to
 *     following ID                 about to read from ID on
 *     seen ID                      read up to ID
 *     followed JSON                read everything; a SequenceOutcome
 *     failed CODE MESSAGE          gave up; CODE is `-` for an error without one
 *
 * A killed process may leave half a line, which its reader drops: only a line that ends counts.
 */
import type { SequenceOutcome } from "./checks.ts";

export type Message =
  | { readonly kind: "opened"; readonly epoch: number; readonly nextId: number }
  | { readonly kind: "sending"; readonly id: number }
  | { readonly kind: "durable"; readonly id: number; readonly hash: string }
  | { readonly kind: "resting"; readonly id: number }
  | { readonly kind: "following"; readonly id: number }
  | { readonly kind: "seen"; readonly id: number }
  | { readonly kind: "followed"; readonly outcome: SequenceOutcome }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

/** One line, its newline included. */
export function formatMessage(message: Message): string {
  switch (message.kind) {
    case "opened":
      return `opened ${message.epoch} ${message.nextId}\n`;
    case "durable":
      return `durable ${message.id} ${message.hash}\n`;
    case "followed":
      return `followed ${JSON.stringify(message.outcome)}\n`;
    case "failed":
      return `failed ${message.code} ${message.message.replaceAll("\n", "; ")}\n`;
    default:
      return `${message.kind} ${message.id}\n`;
  }
}

/** @param line without its newline. Returns undefined for what is not a message. */
export function parseMessage(line: string): Message | undefined {
  const [kind, first = "", ...others] = line.split(" ");
  const rest = others.join(" ");
  const number = /^\d{1,16}$/.test(first) ? Number(first) : undefined;
  switch (kind) {
    case "opened":
      return number === undefined || !/^\d{1,16}$/.test(rest)
        ? undefined
        : { kind, epoch: number, nextId: Number(rest) };
    case "durable":
      return number === undefined || !/^[0-9a-f]{64}$/.test(rest) ? undefined : { kind, id: number, hash: rest };
    case "sending":
    case "resting":
    case "following":
    case "seen":
      return number === undefined || rest !== "" ? undefined : { kind, id: number };
    case "followed":
      // From our own child, over our own pipe: its shape is the type's.
      return { kind, outcome: JSON.parse(line.slice(kind.length + 1)) as SequenceOutcome };
    case "failed":
      return { kind, code: first, message: rest };
    default:
      return undefined;
  }
}

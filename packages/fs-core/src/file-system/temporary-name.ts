import { maxPartBytes } from "./path-rules.ts";

/**
 * The name under which a file that is to become `name` is written: `.{name}.{token}.tmp`, the token as 16 hex digits.
 * The token keeps two calls apart; who holds the directory's lock needs nothing more.
 */
export function temporaryName(name: string, token: bigint): string {
  return `.${name}.${token.toString(16).padStart(tokenDigits, "0")}.tmp`;
}

const tokenDigits = 16;

/** The longest `name` in bytes whose temporary name is still a legal one. */
export const maxTemporaryTargetBytes: number = maxPartBytes - tokenDigits - "...tmp".length;

/** The `name` and `token` that {@link temporaryName} was given; undefined for any other file's name. */
export function parseTemporaryName(text: string): { readonly name: string; readonly token: bigint } | undefined {
  const match = /^\.(.+)\.([0-9a-f]{16})\.tmp$/su.exec(text);
  if (match === null) return undefined;
  return { name: match[1] as string, token: BigInt(`0x${match[2]}`) };
}

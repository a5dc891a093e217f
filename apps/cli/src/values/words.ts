/** Numbers in sentences. Pure. */
import { formatCount } from "./size.ts";

/** `1 record`, `1,234 records`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `id 7`, `ids 7..9`: digits as they are typed, for the next command. */
export function idRange(firstId: number, lastId: number): string {
  return firstId === lastId ? `id ${firstId}` : `ids ${firstId}..${lastId}`;
}

/** What a caller hands over to be iterated: it may be silent for ever, and it holds files and connections of its own. */
import { untilAborted } from "../kit/until-aborted.ts";
import type { StoreCall } from "./store-call.ts";
import { refuse } from "./write-request.ts";

export type Source<T> = AsyncIterable<T> | Iterable<T>;

/** @throws StoreError `INVALID_ARGUMENT`; for a text too, whose characters nobody means */
export function assertSource(operation: string, name: string, source: unknown): void {
  const given = source as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const isIterable =
    typeof given === "object" && (given?.[Symbol.asyncIterator] ?? given?.[Symbol.iterator]) !== undefined;
  if (!isIterable) refuse(operation, [`${name}: want something to iterate over`]);
}

/**
 * The items of `source`, which is closed when not all of them were taken. Ends when `call` does, however long the source is
 * silent; its closing is not waited for then.
 */
export async function* sourceItems<T>(source: Source<T>, call: StoreCall): AsyncGenerator<T, void, undefined> {
  const iterator = iteratorOf(source);
  let state: "idle" | "asking" | "over" = "idle";
  try {
    for (;;) {
      call.assertRunning();
      state = "asking";
      const asked = Promise.resolve(iterator.next());
      // What fails is over by itself.
      asked.catch(() => {
        state = "over";
      });
      const next = await untilAborted(asked, call.signal).catch((error: unknown) => {
        if (state === "asking") call.assertRunning();
        throw error;
      });
      state = next.done === true ? "over" : "idle";
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    if (state !== "over") {
      const closing = closed(source, iterator);
      // Who is asked something answers that first, and a caller whose time is up does not wait.
      if (state === "idle" && !call.isEnded) await closing;
    }
  }
}

/** For a source that was not asked for anything. Does not wait. */
export function closeSource(source: Source<unknown>): void {
  void closed(source, iteratorOf(source));
}

function iteratorOf<T>(source: Source<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
}

/** Does not reject: what went wrong before is what the caller is told. */
async function closed(source: Source<unknown>, iterator: AsyncIterator<unknown> | Iterator<unknown>): Promise<void> {
  try {
    // Iterators of Node's streams let go of them only when they were asked, and were answered.
    const { destroy } = source as { readonly destroy?: unknown };
    if (typeof destroy === "function") destroy.call(source);
    await iterator.return?.();
  } catch {
    // As above.
  }
}

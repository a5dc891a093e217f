/** Two sides measured in turn, in short slices: what slows the machine slows both. */
import { type Clock, systemClock } from "@varve/fs-core";

/** One slice of one side. */
export interface Slice {
  /** Operations a second. */
  readonly rate: number;
  /** Time of this process's threads for one operation, in microseconds. */
  readonly cpuUs: number;
}

export interface InterleaveParts {
  readonly clock?: Pick<Clock, "monotonicUs">;
  /** Time that this process's threads have used, in microseconds. */
  readonly cpuUs?: () => number;
}

/** A side: operations of one kind, `inFlight` at once. */
export interface Side {
  readonly inFlight: number;
  run(slot: number): Promise<void>;
}

/** Slices of both, as many of the one as of the other. */
export interface Pairs {
  readonly first: readonly Slice[];
  readonly second: readonly Slice[];
}

/**
 * Slices of at least `sliceUs`, until the two sides have had `totalUs` between them; at least two of each. Before that
 * each side has a tenth of it that does not count, at least one slice: until the code is compiled, whoever comes later is
 * faster. Every other time the second side goes first.
 */
export async function interleave(
  first: Side,
  second: Side,
  { sliceUs, totalUs }: { readonly sliceUs: number; readonly totalUs: number },
  { clock = systemClock, cpuUs = processCpuUs }: InterleaveParts = {},
): Promise<Pairs> {
  const sliceOf = (side: Side): Promise<Slice> => measureSlice(side, sliceUs, clock, cpuUs);
  for (const side of [first, second]) await measureSlice(side, Math.max(sliceUs, totalUs / 10), clock, cpuUs);
  const pairs = { first: [] as Slice[], second: [] as Slice[] };
  const began = clock.monotonicUs();
  while (pairs.first.length < 2 || clock.monotonicUs() - began < totalUs) {
    const isEven = pairs.first.length % 2 === 0;
    if (isEven) pairs.first.push(await sliceOf(first));
    pairs.second.push(await sliceOf(second));
    if (!isEven) pairs.first.push(await sliceOf(first));
  }
  return pairs;
}

/** Ends when all that was begun is over, so that nothing of it falls into the other side's slice. */
async function measureSlice(
  side: Side,
  sliceUs: number,
  clock: Pick<Clock, "monotonicUs">,
  cpuUs: () => number,
): Promise<Slice> {
  const began = clock.monotonicUs();
  const cpuBefore = cpuUs();
  let count = 0;
  const lane = async (slot: number): Promise<void> => {
    do {
      await side.run(slot);
      count++;
    } while (clock.monotonicUs() - began < sliceUs);
  };
  await Promise.all(Array.from({ length: side.inFlight }, (_, slot) => lane(slot)));
  return { rate: (count / (clock.monotonicUs() - began)) * 1e6, cpuUs: (cpuUs() - cpuBefore) / count };
}

function processCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

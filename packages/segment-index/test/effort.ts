/** Whether to try every case instead of a sample: minutes instead of seconds. */
export const isFull: boolean = process.env["VARVE_FULL"] === "1";

/** How many of something to try: undefined means all there are. */
export function sample(count: number): number | undefined {
  return isFull ? undefined : count;
}

/** The seed of this run's samples; replay one with VARVE_SEED. */
export const seed: number = Number(process.env["VARVE_SEED"] ?? 20_261);

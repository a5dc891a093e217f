/** File names inside a log's directory: each is built and parsed here and nowhere else. */

export const manifestName = "MANIFEST";
export const keysName = "KEYS";
export const cursorsName = "CURSORS";

const segmentPattern = /^segment_(\d{20})\.log$/;
const brokenPattern = /^segment_\d{20}\.log\.broken-\d+-\d+(?:\.\d+)?$/;
const brokenCursorsPattern = /^CURSORS\.broken-\d+(?:\.\d+)?$/;

/** `segment_{baseId:020}.log`: twenty digits, so that names sort as numbers do. */
export function segmentName(baseId: number): string {
  return `segment_${String(baseId).padStart(20, "0")}.log`;
}

/** The base id in a segment's name, undefined for any other name and for ids no log can have. */
export function parseSegmentName(name: string): number | undefined {
  const digits = segmentPattern.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const baseId = Number(digits);
  return Number.isSafeInteger(baseId) && baseId >= 1 ? baseId : undefined;
}

/** Where a recovery of `epoch` keeps what it cut from `offset` on. `attempt` tells repeated cuts apart. */
export function brokenName(baseId: number, epoch: number, offset: number, attempt = 0): string {
  return `${segmentName(baseId)}.broken-${epoch}-${offset}${attempt === 0 ? "" : `.${attempt}`}`;
}

/** Where a salvage of `epoch` keeps a damaged CURSORS. */
export function brokenCursorsName(epoch: number, attempt: number): string {
  return `${cursorsName}.broken-${epoch}${attempt === 0 ? "" : `.${attempt}`}`;
}

export function isBrokenName(name: string): boolean {
  return brokenPattern.test(name) || brokenCursorsPattern.test(name);
}

/** What a job leaves behind when it is done: keys and sizes, for the client that does it and the check that judges it. */
import type { StoreCapabilities } from "@varve/fs-core";

export const jobs = ["put", "create", "multipart", "copy", "swap", "delete"] as const;
export type Job = (typeof jobs)[number];

export const swapKey = "swap/chain";

/** Bytes of what is put in one request. */
export const smallBytes = 2000;

/** More than two parts, and the last one not full. */
export function multipartSizes({ limits }: Pick<StoreCapabilities, "limits">): {
  partBytes: number;
  sizeBytes: number;
} {
  const least = Math.max(limits.partBytesMin, 100_000);
  const partBytes = Math.ceil(least / limits.partBytesMultiple) * limits.partBytesMultiple;
  return { partBytes, sizeBytes: 2 * partBytes + 12_345 };
}

export interface PlannedItem {
  readonly key: string;
  /** Source of a copy. */
  readonly from?: string;
  /** How it is deleted in the end; `keep` is not. */
  readonly fate: "keep" | "delete" | "delete-many";
}

/** Items of a job other than `swap`, which has one object of many. */
export function plannedItems(job: Exclude<Job, "swap">, items: number): PlannedItem[] {
  return Array.from({ length: items }, (_, item) => {
    const key = `${job}/${item}`;
    if (job === "copy") return { key: `${key}/to`, from: `${key}/from`, fate: "keep" };
    if (job !== "delete") return { key, fate: "keep" };
    return { key, fate: (["delete", "delete-many", "keep", "delete-many"] as const)[item % 4] ?? "keep" };
  });
}

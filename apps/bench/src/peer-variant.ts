import { type AofSettings, resolveAofSettings } from "@varve/aof";
import { parseFlushStrategy } from "@varve/flush-metrics";

/** Settings that a variant of the peer adapter may choose. */
export type VariantSettings = Partial<
  Pick<
    AofSettings,
    | "blockCacheBytes"
    | "bufferBytes"
    | "flushOn"
    | "flushStrategy"
    | "indexKind"
    | "preAllocateEnabled"
    | "segmentSizeBytes"
  >
>;

const parsers: Readonly<Record<string, (value: string) => VariantSettings>> = {
  blockCacheBytes: (value) => ({ blockCacheBytes: Number(value) }),
  bufferBytes: (value) => ({ bufferBytes: Number(value) }),
  flushOn: (value) => ({ flushOn: value as "main" | "pool" }),
  indexKind: (value) => ({ indexKind: value as "auto" | "lmdb" | "file" | "memory" }),
  preAllocateEnabled: (value) => ({ preAllocateEnabled: value === "true" }),
  segmentSizeBytes: (value) => ({ segmentSizeBytes: Number(value) }),
  strategy: (value) => ({ flushStrategy: parseFlushStrategy(value) }),
};

/**
 * `flushOn=pool,bufferBytes=1048576` as settings.
 * @throws RangeError for a name that is not one of them
 * @throws AofError `INVALID_SETTINGS` for a value that the log would refuse
 */
export function parseVariant(variant: string | undefined): VariantSettings {
  let settings: VariantSettings = {};
  for (const part of (variant ?? "").split(",")) {
    if (part === "") continue;
    const [name = "", value = ""] = part.split("=", 2);
    const parse = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
    if (parse === undefined)
      throw new RangeError(`variant: got ${name}, want one of ${Object.keys(parsers).join(", ")}`);
    settings = { ...settings, ...parse(value) };
  }
  resolveAofSettings({ dir: ".", ...settings });
  return settings;
}

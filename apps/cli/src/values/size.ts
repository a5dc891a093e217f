import { usageError } from "../cli-error.ts";

const KiB = 1024;

/** As coreutils count: a bare letter and `iB` are powers of 1024, `B` behind a letter is a power of 1000. */
const units: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: KiB,
  kib: KiB,
  kb: 1000,
  m: KiB ** 2,
  mib: KiB ** 2,
  mb: 1000 ** 2,
  g: KiB ** 3,
  gib: KiB ** 3,
  gb: 1000 ** 3,
};

/**
 * Reads a number of bytes: `4096`, `64MiB`, `1.5G`, `10MB`. Case does not matter.
 * @param name the option, for the message
 * @throws CliError `USAGE`
 */
export function parseSize(text: string, name: string): number {
  const match = /^(\d{1,16}(?:\.\d{1,6})?) ?([a-z]*)$/i.exec(text);
  const unit = units[(match?.[2] ?? "?").toLowerCase()];
  const bytes = unit === undefined ? Number.NaN : Number(match?.[1]) * unit;
  if (!Number.isSafeInteger(bytes)) {
    throw usageError(`${name}: got ${JSON.stringify(text)}, want a whole number of bytes such as 4096, 64MiB or 1GiB`);
  }
  return bytes;
}

/** `0 B`, `1,023 B`, `64 MiB`, `1.5 GiB`: at most one decimal. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = "B";
  for (const next of ["KiB", "MiB", "GiB", "TiB", "PiB"]) {
    // At the border what is shown would round up to 1024 of the smaller unit.
    if (value < 1023.95) break;
    value /= KiB;
    unit = next;
  }
  const rounded = unit === "B" ? value : Math.round(value * 10) / 10;
  return `${formatCount(rounded)} ${unit}`;
}

/** `1,234,567`: the same in every locale. */
export function formatCount(value: number): string {
  const [whole = "", fraction] = String(value).split(".");
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

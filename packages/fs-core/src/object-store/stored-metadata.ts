/**
 * Metadata as it travels: HTTP headers hold printable ASCII, so values are percent-encoded, and beside the user's names
 * stand two of ours. Names have no hyphen, because Azure takes identifiers only.
 */
import type { DriverInfo } from "./object-driver.ts";
import type { ObjectInfo } from "./object-store.ts";

/** Names the put: 32 hexadecimal digits. */
export const putIdName = "varveputid";
/** CRC-64/NVME of the bytes: 16 hexadecimal digits. */
const checksumName = "varvecrc64";

/** Names of metadata that a caller may use. */
const namePattern = /^[a-z][a-z0-9_]{0,63}$/;

export const putIdPattern: RegExp = /^[0-9a-f]{32}$/;

/** Why `metadata` is refused, as ends of sentences; empty when it is acceptable. */
export function metadataProblems(metadata: Readonly<Record<string, unknown>>, bytesMax: number): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(metadata)) {
    if (!namePattern.test(name) || name.startsWith("varve")) {
      problems.push(
        `metadata: a name is [a-z][a-z0-9_]*, at most 64 characters, and does not begin with varve; got ${JSON.stringify(name.slice(0, 80))}`,
      );
    } else if (typeof value !== "string" || !value.isWellFormed()) {
      problems.push(`metadata.${name}: want well-formed text`);
    }
  }
  if (problems.length > 0) return problems;
  const used = sizeOf(storedMetadata(metadata as Readonly<Record<string, string>>, "0".repeat(32), 0n));
  if (used > bytesMax) problems.push(`metadata: ${used} bytes as sent, with ours, and the store takes ${bytesMax}`);
  return problems;
}

/** What is sent. */
export function storedMetadata(
  metadata: Readonly<Record<string, string>>,
  putId: string,
  checksum: bigint | undefined,
): Record<string, string> {
  const stored: Record<string, string> = {};
  for (const [name, value] of Object.entries(metadata)) stored[name] = encodeValue(value);
  stored[putIdName] = putId;
  return checksum === undefined ? stored : { ...stored, ...checksumMetadata(checksum) };
}

/** The checksum alone, as it is stored. */
export function checksumMetadata(checksum: bigint): Record<string, string> {
  return { [checksumName]: checksum.toString(16).padStart(16, "0") };
}

/** Of a copy: what the source has, under a new put id. What others put is encoded now, because it will be read as ours. */
export function copiedMetadata(from: DriverInfo, putId: string): Record<string, string> {
  if (isOurs(from.metadata)) return { ...from.metadata, [putIdName]: putId };
  const { [putIdName]: _putId, [checksumName]: _checksum, ...others } = from.metadata;
  const encoded = Object.entries(others).map(([name, value]) => [name, encodeValue(value)]);
  return { ...(Object.fromEntries(encoded) as Record<string, string>), [putIdName]: putId };
}

function isOurs({ [putIdName]: putId }: Readonly<Record<string, string>>): boolean {
  return putId !== undefined && putIdPattern.test(putId);
}

/** What was sent, read again; that of others as it is. */
export function objectInfo(found: DriverInfo): ObjectInfo {
  const { [putIdName]: putId, [checksumName]: checksum, ...others } = found.metadata;
  const areOurs = isOurs(found.metadata);
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(others)) metadata[name] = areOurs ? decodeValue(value) : value;
  return {
    key: found.key,
    size: found.size,
    version: found.version,
    lastModifiedMs: found.lastModifiedMs,
    metadata,
    contentType: found.contentType,
    putId: areOurs ? putId : undefined,
    checksum: found.checksum ?? (areOurs ? parseChecksum(checksum) : undefined),
  };
}

function parseChecksum(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[0-9a-f]{16}$/.test(text) ? BigInt(`0x${text}`) : undefined;
}

// Spaces at the ends are cut by HTTP; an empty value is dropped by some servers.
const plain = /^[!-$&-~](?:[ -$&-~]*[!-$&-~])?$/;

function encodeValue(value: string): string {
  if (value === "") return "%";
  return plain.test(value) ? value : encodeURIComponent(value);
}

function decodeValue(value: string): string {
  if (value === "%") return "";
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function sizeOf(stored: Readonly<Record<string, string>>): number {
  return Object.entries(stored).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

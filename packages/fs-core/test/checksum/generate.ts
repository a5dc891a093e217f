/**
 * Writes `src/checksum/crc64-wasm-module.ts` from the program beside this file:
 *     node packages/fs-core/test/checksum/generate.ts
 * A test compares the committed file with what this would write.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assembleCrc64, scratchBytes } from "./crc64-program.ts";

/** The generated file's path. */
export const modulePath: string = fileURLToPath(new URL("../../src/checksum/crc64-wasm-module.ts", import.meta.url));

/** The generated file's text. */
export function moduleSource(): string {
  const { bytes, relocations } = assembleCrc64();
  return `/**
 * The WebAssembly module of the fast checksum engine, ${bytes.length} bytes. Generated, not written: the program and the
 * reasons for it are in \`test/checksum/crc64-program.ts\`, and \`test/checksum/generate.ts\` writes this file.
 */

/** Bytes of memory the module needs for its tables, slots and windows. */
export const scratchBytes = ${scratchBytes};

/** Where in the module five-byte LEB128 numbers stand that the scratch area's address must be added to. */
export const relocations: readonly number[] = [
${filled(relocations)}
];

/** The module, for a scratch area at address 0. */
export const base64: string =
  "${Buffer.from(bytes).toString("base64")}";
`;
}

/** The numbers in lines of at most 120 characters, as the formatter would break them. */
function filled(numbers: readonly number[]): string {
  const lines: string[] = [];
  for (const number of numbers) {
    const last = lines.at(-1);
    const longer = `${last} ${number},`;
    if (last === undefined || longer.length > 120) lines.push(`  ${number},`);
    else lines[lines.length - 1] = longer;
  }
  return lines.join("\n");
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(modulePath, moduleSource());
}

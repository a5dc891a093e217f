/**
 * Goal: the committed module is the one the program describes, and the program's constants are what it says they are.
 * Method: generate again and compare; check each fold's polynomial by arithmetic that shares nothing with it.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { farFold, nearFold } from "./crc64-program.ts";
import { modulePath, moduleSource } from "./generate.ts";

test("the committed module is what the generator writes", () => {
  expect(readFileSync(modulePath, "utf8"), "run: node packages/fs-core/test/checksum/generate.ts").toBe(moduleSource());
});

/** x^exponent modulo the generator, in normal order: bit k is the coefficient of x^k. */
function power(exponent: number): bigint {
  const generator = 2n ** 64n + 0xad93d23594c93659n;
  let value = 1n;
  for (let step = 0; step < exponent; step += 1) {
    value <<= 1n;
    if (value >= 2n ** 64n) value ^= generator;
  }
  return value;
}

describe.each([
  ["near", nearFold],
  ["far", farFold],
])("the %s fold", (_, { distances, chunkBytes, fromBytes }) => {
  const greatest = Math.max(...distances);

  test("x^8D + Σ x^8(D - d) is a multiple of the generator", () => {
    const remainder = distances.reduce((sum, d) => sum ^ power(8 * (greatest - d)), power(8 * greatest));
    expect(remainder).toBe(0n);
  });

  test("no distance reaches into the iteration that uses it", () => {
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(64);
    expect(new Set(distances).size).toBe(distances.length);
  });

  test("the least range it takes has bytes to fold away, and chunks are whole iterations", () => {
    expect(fromBytes).toBeGreaterThanOrEqual(Math.ceil(greatest / 64) * 64 + 64);
    expect(chunkBytes % 64).toBe(0);
  });
});

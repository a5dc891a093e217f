// Goal: checksums are written and read as S3 does.
// Method: the check value of the algorithm, and texts that are none.
import { crc64Nvme } from "@varve/fs-core";
import { expect, test } from "vitest";
import { checksumText, parseChecksum } from "./checksum-text.ts";

test("the check value, in base64", () => {
  const checksum = crc64Nvme(new TextEncoder().encode("123456789"));
  expect(checksumText(checksum)).toBe("rosUhgp5mIg=");
  expect(parseChecksum("rosUhgp5mIg=")).toBe(checksum);
  expect(parseChecksum(checksumText(0n))).toBe(0n);
});

test.for([undefined, "", "rosUhgp5mIg=-3", "rosUhg==", "rosUhgp5mIg", "not base64!="])("no checksum: %s", (text) =>
  expect(parseChecksum(text)).toBeUndefined(),
);

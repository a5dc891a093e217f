// Goal: a cluster of one listens on the loopback interface only, writes in its directory only, and asks for keys.
// Method: the text, read back as an INI file.
import { expect, test } from "vitest";
import { cephConfig } from "./ceph-config.ts";

const directory = "/somewhere/cluster";
const text = cephConfig({ directory, clusterId: "c", monitorPort: 3001, gatewayPort: 3002 });
const options = new Map(
  text.split("\n").flatMap((line) => {
    const [, name = "", value = ""] = /^([a-z ]+) = (.*)$/.exec(line) ?? [];
    return name === "" ? [] : [[name, value] as const];
  }),
);

test("it begins with its only section", () => {
  expect(text.startsWith("[global]\nfsid = c\n")).toBe(true);
  expect(text.match(/^\[/gm)).toHaveLength(1);
});

test("every address is the loopback interface's", () => {
  expect(options.get("mon host")).toBe("[v2:127.0.0.1:3001]");
  expect(options.get("rgw frontends")).toBe("beast endpoint=127.0.0.1:3002");
  expect([options.get("public addr"), options.get("cluster addr")]).toEqual(["127.0.0.1", "127.0.0.1"]);
});

test("every path is in the directory", () => {
  const places = ["keyring", "run dir", "admin socket", "log file", "crash dir", "mon data", "osd data", "rgw data"];
  for (const place of places) expect(options.get(place), place).toMatch(/^\/somewhere\/cluster(\/|$)/);
});

test("nobody is let in without a key", () => {
  expect([...options.keys()].filter((name) => name.endsWith("required"))).toEqual([]);
  expect(options.get("auth allow insecure global id reclaim")).toBe("false");
});

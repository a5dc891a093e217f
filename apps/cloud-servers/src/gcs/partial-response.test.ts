// Goal: `fields` keeps what it names, nested too, and a text that is not of its grammar is refused.
// Method: a table of selectors over one resource; then broken texts.
import { expect, test } from "vitest";
import { selectFields } from "./partial-response.ts";

const resource = {
  kind: "list",
  nextPageToken: "t",
  items: [
    { name: "a", size: "1", metadata: { k: "v", l: "w" } },
    { name: "b", size: "2" },
  ],
};

test.for<readonly [string, unknown]>([
  ["kind", { kind: "list" }],
  ["kind,nextPageToken", { kind: "list", nextPageToken: "t" }],
  ["items/name", { items: [{ name: "a" }, { name: "b" }] }],
  ["items(name,size)", { items: [{ name: "a", size: "1" }, { name: "b", size: "2" }] }],
  ["items(metadata/k),kind", { kind: "list", items: [{ metadata: { k: "v" } }, {}] }],
  ["items/metadata(k)", { items: [{ metadata: { k: "v" } }, {}] }],
  ["items/*/l", { items: [{ name: "a", size: "1", metadata: { l: "w" } }, { name: "b", size: "2" }] }],
  ["items/name,items/size", { items: [{ name: "a", size: "1" }, { name: "b", size: "2" }] }],
  ["items,items/name", { items: resource.items }],
  ["items/name, items", { items: resource.items }],
  ["*", resource],
  ["nothing", {}],
])("%s", ([fields, expected]) => expect(selectFields(resource, fields)).toEqual(expected));

test.for(["", ",", "a,", "a(", "a(b", "a)", "a(b))", "a//b", "a/", "(a)", "a b", "a(b)c"])("refuses %j", (fields) => {
  expect(() => selectFields(resource, fields)).toThrow(expect.objectContaining({ reason: "invalidParameter" }));
});

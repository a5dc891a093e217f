// Goal: parent and child understand each other, and nothing else is taken for a message. Method: round trips and a table.
import { describe, expect, test } from "vitest";
import { SequenceComparison } from "./checks.ts";
import { formatMessage, type Message, parseMessage } from "./protocol.ts";

const messages: Message[] = [
  { kind: "opened", epoch: 3, nextId: 17 },
  { kind: "sending", id: 0 },
  { kind: "durable", id: Number.MAX_SAFE_INTEGER, hash: "0123456789abcdef".repeat(4) },
  { kind: "resting", id: 5 },
  { kind: "following", id: 5 },
  { kind: "seen", id: 5 },
  { kind: "followed", outcome: new SequenceComparison("a place with spaces", 1).outcome() },
  { kind: "failed", code: "NO_SPACE", message: "the disk is full: 0 bytes left" },
];

describe("the protocol", () => {
  test.each(messages.map((message) => [message.kind, message] as const))("%s survives the trip", (_, message) => {
    const line = formatMessage(message);
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(parseMessage(line.slice(0, -1))).toEqual(message);
  });

  test("a failure of many lines becomes one line", () => {
    const line = formatMessage({ kind: "failed", code: "-", message: "one\ntwo" });
    expect(parseMessage(line.slice(0, -1))).toEqual({ kind: "failed", code: "-", message: "one; two" });
  });

  test.each([
    "",
    "durable",
    "durable 7",
    "durable 7 abc",
    "durable x y",
    "sending",
    "sending 1 2",
    "sending -1",
    "opened 1",
    "hello 1",
  ])("%j is no message", (line) => {
    expect(parseMessage(line)).toBeUndefined();
  });
});

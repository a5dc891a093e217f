// Every kind of lie a log can tell about what it holds must be found, and nothing else.
import { describe, expect, it } from "vitest";
import { brokenPromises, parsePromises } from "./promises.ts";

const promises = parsePromises("T 1:a\nA 1:a\nT 2:b\nV 2:b\nT 3:c\nF 3:c\nT 4:d\nT 5:e\nnoise\nA 5:e");

describe("parsePromises", () => {
  it("takes whole lines only", () => {
    expect(promises.tried).toEqual(["1:a", "2:b", "3:c", "4:d", "5:e"]);
    expect([...promises.durable]).toEqual(["1:a"]);
    expect([...promises.visible]).toEqual(["2:b", "1:a"]);
    expect([...promises.refused]).toEqual(["3:c"]);
  });
});

describe("brokenPromises", () => {
  it.each([
    [["1:a"], "only what is durable"],
    [["1:a", "2:b"], "a refused record missing at the end"],
    [["1:a", "2:b", "4:d"], "a refused record missing in between"],
    [["1:a", "2:b", "3:c", "4:d", "5:e"], "everything"],
  ])("accepts %j: %s", (ids) => {
    expect(brokenPromises(promises, ids, promises.durable)).toEqual([]);
  });

  it.each([
    [[], "1:a was acknowledged and is missing"],
    [["1:x"], "1:x was never appended"],
    [["1:a", "1:a"], "1 ids twice"],
    [["1:a", "4:d"], "2:b is missing in front of 4:d"],
    [["2:b", "3:c"], "1:a is missing in front of 2:b"],
    [["1:a", "4:d", "2:b"], "2:b is out of order"],
  ])("finds the lie in %j: %s", (ids, sentence) => {
    expect(brokenPromises(promises, ids, promises.durable)).toContain(sentence);
  });

  it("owes written records only after a kill", () => {
    expect(brokenPromises(promises, ["1:a"], promises.durable)).toEqual([]);
    expect(brokenPromises(promises, ["1:a"], promises.visible)).toEqual(["2:b was acknowledged and is missing"]);
  });
});

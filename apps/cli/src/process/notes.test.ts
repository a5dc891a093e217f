/**
 * Goal: what goes to standard error is for whoever sees it: a progress line for people, nothing of it in files, silence
 * with `--json`.
 * Method: a stream that remembers, a clock that stands still unless told.
 */
import { ManualClock } from "@varve/fs-core/testing";
import { expect, test } from "vitest";
import { Notes } from "./notes.ts";

function stream(isTTY: boolean): { isTTY: boolean; columns: number; text: string; write(text: string): void } {
  return {
    isTTY,
    columns: 40,
    text: "",
    write(text: string): void {
      this.text += text;
    },
  };
}

test("on a terminal progress is drawn over itself, at most ten times a second, and gone before the next line", () => {
  const clock = new ManualClock();
  const out = stream(true);
  const notes = new Notes(out, clock, false);
  let made = 0;
  const draw = (done: number): void =>
    notes.progress(done, 10, () => {
      made++;
      return `${done} of 10 and a name that is too long for the line`;
    });
  draw(1);
  draw(2);
  clock.advance(99);
  draw(3);
  expect(made).toBe(1);
  clock.advance(1);
  draw(4);
  expect(made).toBe(2);
  expect(out.text).toBe(
    "\r[##..................]  10% 1 of 10 and\u001B[K\r[########............]  40% 4 of 10 and\u001B[K",
  );
  out.text = "";
  notes.line("done");
  notes.line("really");
  expect(out.text).toBe("\r\u001B[Kdone\nreally\n");
});

test("in a file there is no progress, and with --json nothing at all", () => {
  const clock = new ManualClock();
  const file = stream(false);
  new Notes(file, clock, false).progress(1, 2, () => "half");
  expect(file.text).toBe("");
  const quiet = stream(true);
  const notes = new Notes(quiet, clock, true);
  notes.progress(1, 2, () => "half");
  notes.line("note");
  expect(quiet.text).toBe("");
});

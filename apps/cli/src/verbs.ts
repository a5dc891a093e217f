import type { Verb } from "./verb.ts";
import { append } from "./verbs/append.ts";
import { cat } from "./verbs/cat.ts";
import { get } from "./verbs/get.ts";
import { repair } from "./verbs/repair.ts";
import { segments } from "./verbs/segments.ts";
import { stat } from "./verbs/stat.ts";
import { tail } from "./verbs/tail.ts";
import { verify } from "./verbs/verify.ts";

/** Every verb, in the order in which help lists them: write, read, look, mend. */
export const verbs: readonly Verb[] = [append, cat, tail, get, stat, segments, verify, repair];

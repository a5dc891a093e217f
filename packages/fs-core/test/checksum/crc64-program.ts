/**
 * The WebAssembly program behind the fast engine, as the generator writes it into `src/checksum/crc64-wasm-module.ts`.
 *
 * Short ranges use slicing-by-16: sixteen lookups advance the 64-bit state over sixteen bytes.
 *
 * Long ranges avoid lookups. The generator polynomial P divides some polynomials Q with few terms whose exponents are
 * all multiples of 8. Reducing the message modulo Q first does not change its remainder modulo P, and because Q's
 * exponents count whole bytes, one step of that division is the XOR of a few vectors from earlier positions:
 *     w[i] = m[i] ^ w[i - d1] ^ w[i - d2] ^ …        for every byte but the last D, D the greatest distance
 *     r[i] = m[i] ^ the same, where w counts as zero  for the last D
 * r has D bytes and the checksum of the whole. WebAssembly has no carry-less multiplication, with which native code
 * does this; plain XOR is the next best. (The idea is S. Russell's "Chorba", 2024, there for CRC-32 and bit distances.)
 *
 * The distances were found by a meet-in-the-middle search: half the powers of x^8 on each side, those sums kept whose low
 * bits agree with a random value. `crc64-program.test.ts` proves them: x^8D + Σ x^8(D - d) ≡ 0 modulo P.
 */
import {
  type Call,
  clear,
  type Code,
  copy,
  type EncodedModule,
  get,
  i32,
  i64,
  type Local,
  loopWhile,
  returnEarly,
  set,
  v128,
  WasmModule,
  when,
} from "./wasm-assembler.ts";

/** The generator, reflected. */
const polynomial = 0x9a6c9329ac4bc9b5n;

/** One way to fold a long message into a short one of the same checksum. */
interface Fold {
  /** d1, d2, …, D in bytes. The least is at least one iteration's {@link stride}. */
  readonly distances: readonly number[];
  /** Ranges from this length on gain from it, by measurement. */
  readonly fromBytes: number;
  /** Bytes of w computed before its history is moved back to the window's start. */
  readonly chunkBytes: number;
}

/** Bytes per iteration of a fold: four vectors. */
const stride = 64;
const rounded = (fold: Fold): number => Math.ceil(Math.max(...fold.distances) / stride) * stride;

export const nearFold: Fold = {
  distances: [138, 177, 225, 242, 358, 372, 396, 431, 468, 470],
  fromBytes: 832,
  chunkBytes: 4096,
};
export const farFold: Fold = { distances: [152, 315, 805, 919, 1070, 1127, 1795], fromBytes: 8192, chunkBytes: 8192 };

// The scratch area, in bytes from its start.
const tablesAt = 0;
const powersAt: number = tablesAt + 16 * 256 * 8;
const slotsAt: number = powersAt + 4 * 256 * 8;
const lastAt: number = slotsAt + 8 * 8;
const nearRestAt: number = lastAt + 64;
const nearWindowAt: number = nearRestAt + rounded(nearFold);
const farRestAt: number = nearWindowAt + windowBytes(nearFold);
const farWindowAt: number = farRestAt + rounded(farFold);
export const scratchBytes: number = farWindowAt + windowBytes(farFold);

/** History, a chunk, and as many zeroes as the last bytes need. */
function windowBytes(fold: Fold): number {
  return rounded(fold) + fold.chunkBytes + rounded(fold);
}

const inverted = (value: Code): Code => i64.xor(value, i64.const(-1n));
const joined = (low: Local, high: Local): Code =>
  i64.or(i64.extend(get(low)), i64.shiftLeft(i64.extend(get(high)), i64.const(32n)));
const step = (variable: Local, by: number): Code => set(variable, i32.add(get(variable), i32.const(by)));

/** XOR of all as a balanced tree, so that the operands do not wait for each other. */
function tree(xor: (a: Code, b: Code) => Code, operands: readonly Code[]): Code {
  if (operands.length < 2) return operands.flat();
  const half = operands.length >> 1;
  return xor(tree(xor, operands.slice(0, half)), tree(xor, operands.slice(half)));
}

/** Eight lookups: what the bytes of `word` become after `later` more bytes. Entries are eight bytes apart. */
function lookup(word: Local, later: number): Code {
  const entries = [0, 1, 2, 3, 4, 5, 6, 7].map((byte) => {
    const scaled =
      byte === 0 ? i64.shiftLeft(get(word), i64.const(3n)) : i64.shiftRight(get(word), i64.const(BigInt(8 * byte - 3)));
    return i64.loadScratch(i32.and(i32.wrap(scaled), i32.const(255 * 8)), tablesAt + (later + 7 - byte) * 256 * 8);
  });
  return tree(i64.xor, entries);
}

/** One of several ranges of equal length that are checksummed side by side. */
interface Lane {
  readonly at: Local;
  readonly state: Local;
}

/**
 * {@link defineSlicing}'s steps for ranges of one length, 8 or more, one step of each range after the other: a range's
 * next lookups wait for its last ones, and meanwhile the processor does the others'. Moves each `at` to its range's end.
 */
function slicingSideBySide(lanes: readonly Lane[], length: Local, scratch: { first: Local; second: Local }): Code {
  const { first, second } = scratch;
  const each = (write: (lane: Lane) => Code[]): Code => lanes.flatMap((lane) => write(lane)).flat();
  const odd = i32.and(get(length), i32.const(7));
  const bits = i64.extend(i32.shiftLeft(odd, i32.const(3)));
  return [
    ...when(
      odd,
      each(({ at, state }) => [
        set(first, i64.shiftLeft(i64.xor(i64.load(get(at)), get(state)), i64.subtract(i64.const(64n), bits))),
        set(state, i64.xor(lookup(first, 0), i64.shiftRight(get(state), bits))),
        set(at, i32.add(get(at), odd)),
      ]),
    ),
    ...set(length, i32.subtract(get(length), odd)),
    ...when(
      i32.and(get(length), i32.const(8)),
      each(({ at, state }) => [
        set(first, i64.xor(i64.load(get(at)), get(state))),
        set(state, lookup(first, 0)),
        step(at, 8),
      ]),
    ),
    ...set(length, i32.and(get(length), i32.const(-16))),
    ...loopWhile(
      get(length),
      each(({ at, state }) => [
        set(second, i64.load(get(at), 8)),
        set(second, lookup(second, 0)),
        set(first, i64.xor(i64.load(get(at)), get(state))),
        set(state, i64.xor(lookup(first, 8), get(second))),
        step(at, 16),
      ]),
      step(length, -16),
    ),
  ];
}

/** Shorter ranges of any length: slicing-by-16. (state, at, length) → state. */
function defineSlicing(module: WasmModule): Call {
  return module.define(["i64", "i32", "i32"], ["i64"], (declare, state, at, length) => {
    const end = declare("i32");
    const first = declare("i64");
    const second = declare("i64");
    const bits = declare("i64");
    return [
      set(end, i32.add(get(at), get(length))),
      when(
        i32.less(get(length), i32.const(8)),
        loopWhile(
          i32.less(get(at), get(end)),
          set(state, i64.xor(get(state), i64.load8(get(at)))),
          set(state, shiftedByte(state)),
          step(at, 1),
        ),
        returnEarly(get(state)),
      ),
      // The odd bytes go first, shifted up as if zeroes preceded them: no loop over them and no read past the end.
      set(length, i32.and(get(length), i32.const(7))),
      when(
        get(length),
        set(bits, i64.extend(i32.shiftLeft(get(length), i32.const(3)))),
        set(first, i64.shiftLeft(i64.xor(i64.load(get(at)), get(state)), i64.subtract(i64.const(64n), get(bits)))),
        set(state, i64.xor(lookup(first, 0), i64.shiftRight(get(state), get(bits)))),
        set(at, i32.add(get(at), get(length))),
      ),
      when(
        i32.and(i32.subtract(get(end), get(at)), i32.const(8)),
        set(first, i64.xor(i64.load(get(at)), get(state))),
        set(state, lookup(first, 0)),
        step(at, 8),
      ),
      loopWhile(
        i32.less(get(at), get(end)),
        // The half that does not need the state comes first; the processor runs it ahead.
        set(second, i64.load(get(at), 8)),
        set(second, lookup(second, 0)),
        set(first, i64.xor(i64.load(get(at)), get(state))),
        set(state, i64.xor(lookup(first, 8), get(second))),
        step(at, 16),
      ),
      get(state),
    ];
  });
}

/**
 * The inner loop of a fold. (state, at, end, w, out): message bytes `[at, end)`, whole strides, are XORed with w's
 * earlier bytes and stored. `w` and `out` are offsets into the scratch area: where the greatest distance before the
 * first of these bytes is, and where the results go. The state enters with the first eight bytes.
 */
function defineFoldLoop(module: WasmModule, { distances }: Fold, greatest: number): Call {
  return module.define(["i64", "i32", "i32", "i32", "i32"], [], (declare, state, at, end, w, out) => {
    const carry = declare("v128");
    const vectors = [0, 16, 32, 48].map((offset) => {
      const terms = distances.map((distance) => v128.loadScratch(get(w), greatest - distance + offset));
      const sum = tree(v128.xor, [v128.load(get(at), offset), ...terms]);
      return v128.storeScratch(get(out), offset, offset === 0 ? v128.xor(sum, get(carry)) : sum);
    });
    return [
      set(carry, v128.fromLow(get(state))),
      loopWhile(
        i32.less(get(at), get(end)),
        ...vectors,
        set(carry, v128.zero),
        step(at, stride),
        step(w, stride),
        step(out, stride),
      ),
    ];
  });
}

/**
 * Long ranges. (state, at, length) → state, through `shorter` when the fold does not pay.
 * Between calls the window's history is zero.
 */
function defineFold(
  module: WasmModule,
  fold: Fold,
  windowAt: number,
  restAt: number,
  slicing: Call,
  shorter: Call,
): Call {
  const size = rounded(fold);
  const loop = defineFoldLoop(module, fold, size);
  return module.define(["i64", "i32", "i32"], ["i64"], (declare, state, at, length) => {
    const foldedEnd = declare("i32");
    const chunkEnd = declare("i32");
    const w = declare("i32");
    const moved = declare("i32");
    const nextChunk = [
      set(chunkEnd, i32.add(get(at), i32.const(fold.chunkBytes))),
      when(i32.more(get(chunkEnd), get(foldedEnd)), set(chunkEnd, get(foldedEnd))),
      loop(get(state), get(at), get(chunkEnd), i32.const(windowAt), i32.const(windowAt + size)),
      set(state, i64.const(0n)),
      set(w, i32.subtract(get(chunkEnd), get(at))),
      set(at, get(chunkEnd)),
    ];
    const history = (offset: number): Code => i32.add(get(w), i32.scratchAddress(windowAt + offset));
    return [
      when(i32.less(get(length), i32.const(fold.fromBytes)), returnEarly(shorter(get(state), get(at), get(length)))),
      set(foldedEnd, i32.subtract(i32.add(get(at), i32.and(get(length), i32.const(-stride))), i32.const(size))),
      ...nextChunk,
      loopWhile(
        i32.less(get(at), get(foldedEnd)),
        copy(i32.scratchAddress(windowAt), history(0), i32.const(size)),
        ...nextChunk,
        set(moved, i32.const(1)),
      ),
      clear(history(size), i32.const(size)),
      loop(
        get(state),
        get(at),
        i32.add(get(at), i32.const(size)),
        i32.add(get(w), i32.const(windowAt)),
        i32.const(restAt),
      ),
      when(get(moved), clear(i32.scratchAddress(windowAt), i32.const(size))),
      set(state, shorter(i64.const(0n), i32.scratchAddress(restAt), i32.const(size))),
      slicing(get(state), i32.add(get(at), i32.const(size)), i32.and(get(length), i32.const(stride - 1))),
    ];
  });
}

/** (a, b) → a · b modulo the generator, byte by byte of b from its highest coefficients down. */
function defineMultiply(module: WasmModule): Call {
  return module.define(["i64", "i64"], ["i64"], (declare, a, b) => {
    const product = declare("i64");
    const left = declare("i32");
    // a · x^0 … a · x^7; the lowest bit of a byte of b is its highest coefficient.
    const times: Code[] = [];
    const terms: Code[] = [];
    let power = a;
    for (let exponent = 0; exponent < 8; exponent += 1) {
      const chosen = i64.shiftRightSigned(i64.shiftLeft(get(b), i64.const(BigInt(56 + exponent))), i64.const(63n));
      terms.push(i64.and(get(power), chosen));
      if (exponent === 7) break;
      const next = declare("i64");
      times.push(set(next, timesX(power)));
      power = next;
    }
    return [
      ...times,
      set(left, i32.const(8)),
      loopWhile(
        get(left),
        set(product, i64.xor(shiftedByte(product), tree(i64.xor, terms))),
        set(b, i64.shiftRight(get(b), i64.const(8n))),
        step(left, -1),
      ),
      get(product),
    ];
  });
}

/** `value` · x */
function timesX(value: Local): Code {
  const carry = i64.subtract(i64.const(0n), i64.and(get(value), i64.const(1n)));
  return i64.xor(i64.shiftRight(get(value), i64.const(1n)), i64.and(carry, i64.const(polynomial)));
}

/** `value` · x^8: one lookup. */
function shiftedByte(value: Local): Code {
  const scaled = i32.and(i32.shiftLeft(i32.wrap(get(value)), i32.const(3)), i32.const(255 * 8));
  return i64.xor(i64.shiftRight(get(value), i64.const(8n)), i64.loadScratch(scaled, tablesAt));
}

/** Fills the slicing tables and, for k in 0..3 and i in 0..255, the powers x^(8 · i · 256^k). */
function exportInitialise(module: WasmModule, multiply: Call): void {
  module.export("initialise", [], [], (declare) => {
    const at = declare("i32");
    const end = declare("i32");
    const value = declare("i64");
    const factor = declare("i64");
    const until = (limit: number, ...body: Code[]): Code =>
      loopWhile(i32.less(get(at), i32.const(limit)), ...body, step(at, 8));
    return [
      until(
        256 * 8,
        set(value, i64.extend(i32.shiftRight(get(at), i32.const(3)))),
        ...new Array<Code>(8).fill(set(value, timesX(value))),
        i64.storeScratch(get(at), tablesAt, get(value)),
      ),
      set(at, i32.const(0)),
      until(
        15 * 256 * 8,
        set(value, i64.loadScratch(get(at), tablesAt)),
        i64.storeScratch(get(at), tablesAt + 256 * 8, shiftedByte(value)),
      ),
      // x^8 is bit 63 - 8.
      set(factor, i64.const(1n << 55n)),
      set(at, i32.const(0)),
      loopWhile(
        i32.less(get(at), i32.const(4 * 256 * 8)),
        set(value, i64.const(1n << 63n)),
        set(end, i32.add(get(at), i32.const(256 * 8))),
        loopWhile(
          i32.less(get(at), get(end)),
          i64.storeScratch(get(at), powersAt, get(value)),
          set(value, multiply(get(value), get(factor))),
          step(at, 8),
        ),
        set(factor, get(value)),
      ),
    ];
  });
}

/** Frames shorter than this are taken two at a time when both have one length: 1.3 × as fast at 92 bytes. More lanes gain nothing. */
const sideBySideBytes = 512;

/**
 * Frames, one behind the other: u32 checksum, u32 size, the rest of a header of `header` bytes, `size` bytes of body,
 * padding to a multiple of 8. The checksum is of everything behind itself, without the padding.
 * (at, end, header, low, high) → where it stopped: at the end, or in front of the first frame that is cut off by the end
 * or, with `verify`, whose checksum is another. `seal` writes the checksums instead of comparing them.
 */
function exportFrames(module: WasmModule, name: string, purpose: "seal" | "verify", update: Call): void {
  module.export(name, ["i32", "i32", "i32", "i32", "i32"], ["i32"], (declare, at, end, header, low, high) => {
    const seed = declare("i64");
    const size = declare("i32");
    const length = declare("i32");
    const stride = declare("i32");
    const both = declare("i32");
    const next = declare("i32");
    const state = declare("i64");
    const scratch = { first: declare("i64"), second: declare("i64") };
    const lanes: readonly [Lane, Lane] = [
      { at: declare("i32"), state: declare("i64") },
      { at: declare("i32"), state: declare("i64") },
    ];
    const left = (from: Local): Code => i32.subtract(get(end), get(from));
    const folded = (value: Local): Code =>
      i32.xor(i32.wrap(get(value)), i32.wrap(i64.shiftRight(get(value), i64.const(32n))));
    const matches = (place: Local, value: Local): Code => i32.equal(i32.load(get(place)), folded(value));
    const moveOn = (to: Code): Code => set(at, to);
    return [
      set(seed, inverted(joined(low, high))),
      loopWhile(
        i32.less(get(at), get(end)),
        when(i32.less(left(at), get(header)), returnEarly(get(at))),
        set(size, i32.load(get(at), 4)),
        when(i32.more(get(size), i32.subtract(left(at), get(header))), returnEarly(get(at))),
        set(length, i32.subtract(i32.add(get(header), get(size)), i32.const(4))),
        set(stride, i32.and(i32.add(get(length), i32.const(11)), i32.const(-8))),
        when(i32.more(get(stride), left(at)), returnEarly(get(at))),
        set(next, i32.add(get(at), get(stride))),
        set(both, i32.const(0)),
        when(
          i32.less(get(length), i32.const(sideBySideBytes)),
          when(
            i32.isZero(i32.more(get(stride), left(next))),
            set(both, i32.and(i32.equal(i32.load(get(next), 4), get(size)), i32.more(get(length), i32.const(7)))),
          ),
        ),
        when(
          get(both),
          ...lanes.flatMap((lane, k) => [
            set(lane.at, i32.add(get(k === 0 ? at : next), i32.const(4))),
            set(lane.state, get(seed)),
          ]),
          slicingSideBySide(lanes, length, scratch),
          ...lanes.map((lane) => set(lane.state, inverted(get(lane.state)))),
          ...(purpose === "seal"
            ? [
                i32.store(get(at), 0, folded(lanes[0].state)),
                i32.store(get(next), 0, folded(lanes[1].state)),
                moveOn(i32.add(get(next), get(stride))),
              ]
            : [
                when(i32.isZero(matches(at, lanes[0].state)), returnEarly(get(at))),
                when(i32.isZero(matches(next, lanes[1].state)), returnEarly(get(next))),
                moveOn(i32.add(get(next), get(stride))),
              ]),
        ),
        when(
          i32.isZero(get(both)),
          set(state, inverted(update(get(seed), i32.add(get(at), i32.const(4)), get(length)))),
          purpose === "seal"
            ? i32.store(get(at), 0, folded(state))
            : when(i32.isZero(matches(at, state)), returnEarly(get(at))),
          moveOn(get(next)),
        ),
      ),
      get(at),
    ];
  });
}

/** Writes the whole module. */
export function assembleCrc64(): EncodedModule {
  const module = new WasmModule();
  const slicing = defineSlicing(module);
  const near = defineFold(module, nearFold, nearWindowAt, nearRestAt, slicing, slicing);
  const update = defineFold(module, farFold, farWindowAt, farRestAt, slicing, near);
  const multiply = defineMultiply(module);
  exportInitialise(module, multiply);
  exportFrames(module, "sealFrames", "seal", update);
  exportFrames(module, "soundFrames", "verify", update);

  module.export("folded", ["i32", "i32", "i32", "i32"], ["i32"], (declare, at, length, low, high) => {
    const state = declare("i64");
    return [
      set(state, inverted(update(inverted(joined(low, high)), get(at), get(length)))),
      i64.storeScratch(i32.const(0), lastAt, get(state)),
      i32.xor(i32.wrap(get(state)), i32.wrap(i64.shiftRight(get(state), i64.const(32n)))),
    ];
  });
  module.export("updateSlot", ["i32", "i32", "i32"], [], (_, slot, at, length) => {
    const place = i32.shiftLeft(get(slot), i32.const(3));
    const state = inverted(i64.loadScratch(place, slotsAt));
    return [i64.storeScratch(place, slotsAt, inverted(update(state, get(at), get(length))))];
  });
  module.export("appendSlot", ["i32", "i32", "i32", "i32"], [], (declare, slot, low, high, length) => {
    const state = declare("i64");
    const table = declare("i32");
    const place = i32.shiftLeft(get(slot), i32.const(3));
    const entry = i32.add(get(table), i32.shiftLeft(i32.and(get(length), i32.const(255)), i32.const(3)));
    return [
      set(state, i64.loadScratch(place, slotsAt)),
      loopWhile(
        get(length),
        when(i32.and(get(length), i32.const(255)), set(state, multiply(get(state), i64.loadScratch(entry, powersAt)))),
        set(length, i32.shiftRight(get(length), i32.const(8))),
        step(table, 256 * 8),
      ),
      i64.storeScratch(place, slotsAt, i64.xor(get(state), joined(low, high))),
    ];
  });
  // Words 0..15 are the slots, low half first; 16 and 17 are what `folded` computed last.
  module.export("word", ["i32"], ["i32"], (_, index) => [
    i32.loadScratch(i32.shiftLeft(get(index), i32.const(2)), slotsAt),
  ]);
  module.export("setWord", ["i32", "i32"], [], (_, index, value) => [
    i32.storeScratch(i32.shiftLeft(get(index), i32.const(2)), slotsAt, get(value)),
  ]);
  return module.encode();
}

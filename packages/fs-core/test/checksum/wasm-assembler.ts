/**
 * Just enough of an assembler to write a WebAssembly module as nested expressions: `i64.xor(get(a), get(b))` is the
 * bytes of both operands followed by the opcode. Numbers in hexadecimal are opcodes of the WebAssembly core
 * specification 2.0, chapter "Binary Format".
 */

/** Encoded instructions. */
export type Code = readonly number[];
export type ValueType = "i32" | "i64" | "v128";

const typeByte = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;

/** LEB128, unsigned. */
function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  do {
    const more = rest > 127;
    bytes.push((rest % 128) + (more ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}

/** LEB128, signed. */
function signed(value: bigint): Code {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 127n);
    rest >>= 7n;
    const last = (rest === 0n && low < 64) || (rest === -1n && low >= 64);
    bytes.push(last ? low : low + 128);
    if (last) return bytes;
  }
}

/**
 * An unsigned number to which the address of the scratch area is added when the module is instantiated: five bytes
 * whatever its value, the first one marked so that {@link WasmModule.encode} can tell where it went. Valid as a
 * memory offset and, below 2^31, as an i32 constant.
 */
function relocated(value: number): Code {
  const digit = (shift: number): number => (value >>> shift) & 127;
  return [digit(0) + 128 + relocationMark, digit(7) + 128, digit(14) + 128, digit(21) + 128, digit(28)];
}
const relocationMark = 256;

const operation =
  (opcode: Code) =>
  (...operands: Code[]): Code => [...operands.flat(), ...opcode];
/** A load or store, at `address` or, for the `scratch` forms, at `address` inside the scratch area. */
const loading = (opcode: Code) => ({
  load: (address: Code, offset = 0): Code => [...address, ...opcode, 0, ...unsigned(offset)],
  scratch: (address: Code, offset: number): Code => [...address, ...opcode, 0, ...relocated(offset)],
});
const storing =
  (opcode: Code) =>
  (address: Code, offset: number, value: Code): Code => [...address, ...value, ...opcode, 0, ...relocated(offset)];
const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(BigInt(value))],
  /** The address of byte `offset` of the scratch area. */
  scratchAddress: (offset: number): Code => [0x41, ...relocated(offset)],
  loadScratch: loading([0x28]).scratch,
  storeScratch: storing([0x36]),
  load: loading([0x28]).load,
  store: (address: Code, offset: number, value: Code): Code => [...address, ...value, 0x36, 0, ...unsigned(offset)],
  isZero: operation([0x45]),
  equal: operation([0x46]),
  less: operation([0x49]),
  more: operation([0x4b]),
  add: operation([0x6a]),
  subtract: operation([0x6b]),
  and: operation([0x71]),
  xor: operation([0x73]),
  shiftLeft: operation([0x74]),
  shiftRight: operation([0x76]),
  wrap: operation([0xa7]),
} as const;

export const i64 = {
  const: (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))],
  load: loading([0x29]).load,
  load8: loading([0x31]).load,
  loadScratch: loading([0x29]).scratch,
  storeScratch: storing([0x37]),
  isZero: operation([0x50]),
  subtract: operation([0x7d]),
  and: operation([0x83]),
  or: operation([0x84]),
  xor: operation([0x85]),
  shiftLeft: operation([0x86]),
  shiftRightSigned: operation([0x87]),
  shiftRight: operation([0x88]),
  extend: operation([0xad]),
} as const;

const splatZero: Code = [...simd(12), ...new Array<number>(16).fill(0)];
export const v128 = {
  load: loading(simd(0)).load,
  loadScratch: loading(simd(0)).scratch,
  storeScratch: storing(simd(11)),
  xor: operation(simd(81)),
  zero: splatZero,
  /** An i64 in the low lane, zero in the high one. */
  fromLow: (value: Code): Code => [...splatZero, ...value, ...simd(30), 0],
} as const;

/** One variable of a function, by index: parameters first. */
export interface Local {
  readonly index: number;
}
export const get = (local: Local): Code => [0x20, ...unsigned(local.index)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local.index)];

export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, 0x40, ...body.flat(), 0x0b];
/** `while (condition) body`, the condition tested at both ends so that an iteration has one branch. */
export const loopWhile = (condition: Code, ...body: Code[]): Code =>
  when(condition, [0x03, 0x40, ...body.flat(), ...condition, 0x0d, 0x00, 0x0b]);
export const returnEarly = (value: Code): Code => [...value, 0x0f];
/** memory.copy; the ranges may overlap. */
export const copy = (to: Code, from: Code, length: Code): Code => [...to, ...from, ...length, 0xfc, 10, 0, 0];
/** memory.fill with zeroes. */
export const clear = (address: Code, length: Code): Code => [...address, ...i32.const(0), ...length, 0xfc, 11, 0];

interface FunctionParts {
  readonly parameters: readonly ValueType[];
  readonly result: readonly ValueType[];
  readonly locals: readonly ValueType[];
  readonly body: Code;
}

type Locals<P extends readonly ValueType[]> = { -readonly [K in keyof P]: Local };
type Write<P extends readonly ValueType[]> = (declare: (type: ValueType) => Local, ...parameters: Locals<P>) => Code[];

/** A call of a defined function. */
export type Call = (...operands: Code[]) => Code;

/** What {@link WasmModule.encode} returns. */
export interface EncodedModule {
  readonly bytes: Uint8Array;
  /** Where five-byte numbers stand to which the scratch area's address must be added. */
  readonly relocations: readonly number[];
}

/** Collects functions and writes the module, which imports one memory as `env.memory`. */
export class WasmModule {
  readonly #functions: FunctionParts[] = [];
  readonly #exports: { readonly name: string; readonly index: number }[] = [];

  /**
   * Adds a function. `write` receives its parameters, and a way to declare more variables, and returns its body.
   * @param result at most one type
   */
  define<const P extends readonly ValueType[]>(parameters: P, result: readonly ValueType[], write: Write<P>): Call {
    const locals: ValueType[] = [];
    const declare = (type: ValueType): Local => ({ index: parameters.length + locals.push(type) - 1 });
    const variables = parameters.map((_, index) => ({ index })) as Locals<P>;
    const body = write(declare, ...variables).flat();
    const index = this.#functions.push({ parameters, result, locals, body }) - 1;
    return (...operands) => [...operands.flat(), 0x10, ...unsigned(index)];
  }

  /** {@link define}, and callers from outside may call it as `name`. */
  export<const P extends readonly ValueType[]>(
    name: string,
    parameters: P,
    result: readonly ValueType[],
    write: Write<P>,
  ): Call {
    this.#exports.push({ name, index: this.#functions.length });
    return this.define(parameters, result, write);
  }

  encode(): EncodedModule {
    const types = this.#functions.map(({ parameters, result }) => [
      0x60,
      ...typeVector(parameters),
      ...typeVector(result),
    ]);
    const bodies = this.#functions.map(({ locals, body }) => {
      const code = [...vector(locals.map((type) => [1, typeByte[type]])), ...body, 0x0b];
      return [...unsigned(code.length), ...code];
    });
    const marked = [
      ...magicAndVersion,
      ...section(1, vector(types)),
      ...section(2, vector([[...text("env"), ...text("memory"), 2, 0, 1]])),
      ...section(3, vector(this.#functions.map((_, index) => unsigned(index)))),
      ...section(7, vector(this.#exports.map(({ name, index }) => [...text(name), 0, ...unsigned(index)]))),
      ...section(10, vector(bodies)),
    ];
    const relocations = marked.flatMap((byte, position) => (byte >= relocationMark ? [position] : []));
    return { bytes: Uint8Array.from(marked, (byte) => byte % relocationMark), relocations };
  }
}

const magicAndVersion: Code = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const typeVector = (types: readonly ValueType[]): Code => vector(types.map((type) => [typeByte[type]]));
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const text = (value: string): Code => vector([...new TextEncoder().encode(value)].map((byte) => [byte]));

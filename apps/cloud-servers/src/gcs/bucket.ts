/**
 * The objects of one bucket. Every change is one synchronous call that checks its conditions and then acts, so no
 * other request comes between.
 *
 * Always true between awaits:
 *  I1  a name has at most one live object
 *  I2  each new object has a generation above every earlier one of the server, and metageneration 1
 *  I3  a change of metadata keeps the generation and adds one to the metageneration
 *  I4  the budget holds the bytes of every live object
 *  I5  `#sorted`, when there, holds exactly the live names in the order of lists
 */
import type { Clock } from "@varve/fs-core";
import { invalid, noSuchObject } from "./api-error.ts";
import type { Attributes } from "./attributes.ts";
import { checkConditions, type Conditions } from "./conditions.ts";
import { type Budget, type Content, heldBytes } from "./content.ts";
import { compareNames } from "./object-name.ts";
import type { StoredObject } from "./stored-object.ts";

/** What buckets of one server share. */
export class Generations {
  readonly #clock: Clock;
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Like the service's, near the time in microseconds; never one twice, whatever the clock does. */
  next(): bigint {
    const now = BigInt(Math.trunc(this.#clock.wallUs()));
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last;
  }
}

/** What becomes an object. */
export interface NewObject {
  readonly content: Content;
  readonly attributes: Attributes;
  readonly componentCount?: number;
}

export interface BucketParts {
  readonly clock: Clock;
  readonly budget: Budget;
  readonly generations: Generations;
}

export class Bucket {
  readonly name: string;
  readonly createdUs: number;
  readonly #parts: BucketParts;
  readonly #live: Map<string, StoredObject> = new Map();
  #sorted: readonly string[] | undefined;

  constructor(name: string, parts: BucketParts) {
    this.name = name;
    this.#parts = parts;
    this.createdUs = parts.clock.wallUs();
  }

  find(name: string): StoredObject | undefined {
    return this.#live.get(name);
  }

  /**
   * @param generation only this one; any when undefined
   * @throws ApiError 404
   */
  get(name: string, generation?: bigint): StoredObject {
    const object = this.#live.get(name);
    if (object === undefined || (generation !== undefined && object.generation !== generation)) {
      throw noSuchObject(this.name, generation === undefined ? name : `${name}#${generation}`);
    }
    return object;
  }

  /** The live names in the order of lists. Valid until the next change. */
  names(): readonly string[] {
    this.#sorted ??= [...this.#live.keys()].sort(compareNames);
    return this.#sorted;
  }

  /**
   * Creates or replaces.
   * @param from its content's bytes are of the budget already
   * @throws ApiError 412; then nothing changed, and the caller still has the bytes of the budget
   */
  put(name: string, from: NewObject, conditions: Conditions): StoredObject {
    const before = this.#live.get(name);
    checkConditions(conditions, before);
    const nowUs = this.#parts.clock.wallUs();
    const object: StoredObject = {
      bucket: this.name,
      name,
      generation: this.#parts.generations.next(),
      metageneration: 1n,
      content: from.content,
      attributes: from.attributes,
      createdUs: nowUs,
      updatedUs: nowUs,
      componentCount: from.componentCount,
    };
    this.#live.set(name, object);
    if (before === undefined) this.#sorted = undefined;
    else this.#parts.budget.give(heldBytes(before.content));
    return object;
  }

  /** Like {@link put}, of a content that another object has: takes its bytes from the budget once more. @throws ApiError 412, 413 */
  putShared(name: string, from: NewObject, conditions: Conditions): StoredObject {
    checkConditions(conditions, this.#live.get(name));
    this.#parts.budget.take(heldBytes(from.content));
    return this.put(name, from, conditions);
  }

  /** @throws ApiError 404, 412 */
  setAttributes(
    name: string,
    generation: bigint | undefined,
    change: (before: Attributes) => Attributes,
    conditions: Conditions,
  ): StoredObject {
    const before = this.get(name, generation);
    checkConditions(conditions, before);
    const after: StoredObject = {
      ...before,
      attributes: change(before.attributes),
      metageneration: before.metageneration + 1n,
      updatedUs: this.#parts.clock.wallUs(),
    };
    this.#live.set(name, after);
    return after;
  }

  /** @throws ApiError 404, 412 */
  delete(name: string, generation: bigint | undefined, conditions: Conditions): void {
    const object = this.get(name, generation);
    checkConditions(conditions, object);
    this.#live.delete(name);
    this.#sorted = undefined;
    this.#parts.budget.give(heldBytes(object.content));
  }

  /** Both or neither. @throws ApiError 400 for one name, 404, 412 */
  move(from: string, to: string, sourceConditions: Conditions, conditions: Conditions): StoredObject {
    if (from === to) throw invalid("The source and the destination of a move are the same object.");
    const source = this.get(from);
    checkConditions(sourceConditions, source);
    const { content, attributes, componentCount } = source;
    // The bytes go over with the object: none are taken, none given.
    const moved = this.put(
      to,
      componentCount === undefined ? { content, attributes } : { content, attributes, componentCount },
      conditions,
    );
    this.#live.delete(from);
    this.#sorted = undefined;
    return moved;
  }
}

/** Something that must not be shown: neither `inspect` nor `JSON.stringify` of what holds it finds the value. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toJSON(): string {
    return "(hidden)";
  }
}

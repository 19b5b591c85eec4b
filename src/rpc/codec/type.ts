// What a codec type is. The RPC layer, records, lists and users' own types all meet at this interface and know nothing else.

import type { BitReader, BitWriter } from './bits.ts'

/**
 * How values of `T` become bits and back. Types are immutable and stateless: one object serves every message and every session.
 *
 * `write` throws for a value that does not fit. `read` never throws: it tells the reader that the bytes are wrong (`reader.fail`) and
 * returns something of no meaning; whoever started the reading asks `reader.finish()` at the end.
 */
export interface Type<T> {
  /** The fewest bits that a value takes; how a list checks its declared length before it believes it. */
  readonly minBits: number

  /**
   * The type in words, as it stands in a contract: `{ name: string, hp: u8 }`. Two types with the same text have the same encoding,
   * and two types with different encodings have different texts. SPEC §15.9.
   */
  describe(): string

  /**
   * Appends `value` to the writer.
   * @throws VaivenError `ERR_ENCODE` with the path of the field: `players[3].hp is 300; u8 holds 0 to 255`.
   *   The writer then holds half a message: call its `reset()`.
   */
  write(writer: BitWriter, value: T): void

  /** Takes one value from the reader; after `reader.failure` is set the result means nothing. */
  read(reader: BitReader): T
}

/** The TypeScript type of the values of a codec type: `Infer<typeof Player>`. */
export type Infer<X> = X extends Type<infer T> ? T : never

/** A type whose values may be missing. As a field of a record, the key may then be absent. */
export interface OptionalType<T> extends Type<T | undefined> {
  readonly optional: true
  readonly inner: Type<T>
}

/** The fields of a record: a codec type for each key. */
export type Shape = { readonly [key: string]: Type<any> }

type OptionalKeys<S extends Shape> = { [K in keyof S]: S[K] extends OptionalType<any> ? K : never }[keyof S]

/** The object type that belongs to a shape: optional fields may be absent. */
export type InferShape<S extends Shape> = Flatten<
  { -readonly [K in Exclude<keyof S, OptionalKeys<S>>]: Infer<S[K]> } & { -readonly [K in OptionalKeys<S>]?: Infer<S[K]> }
>

/** The tuple type that belongs to a list of types. */
export type InferTuple<A extends readonly Type<any>[]> = { -readonly [K in keyof A]: Infer<A[K]> }

/** Makes editors show one object type, not an intersection. */
export type Flatten<T> = { [K in keyof T]: T[K] } & {}

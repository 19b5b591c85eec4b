// Any value of Godot's as a type for contracts: for methods whose arguments our own types have no words for.

import { t } from '../rpc/index.ts'
import type { Type } from '../rpc/index.ts'
import { decodeVariant, encodeVariant } from './variant.ts'
import type { Variant } from './variant.ts'

/** Among our own, the value travels in Godot's encoding behind its length. */
const bytes = t.bytes

/**
 * A Variant: `rpc.remote(variant)`. Handlers get what Godot sent (`Vector2`, `NodePath`, `Map`, …) as it is.
 * Values that Godot has no word for do not fit.
 */
export const variant: Type<Variant> = {
  minBits: bytes.minBits,
  describe: () => 'variant',
  write(writer, value) {
    bytes.write(writer, encodeVariant(value))
  },
  read(reader) {
    const result = decodeVariant(bytes.read(reader))
    if (result.ok) return result.value
    reader.fail('range')
    return null
  },
}

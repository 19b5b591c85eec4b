// The Variant codec of Godot 3: the values, how they are written and how they are read.

export * from './variant-types.ts'
export { PoolColorArray, PoolStringArray, PoolVector2Array, PoolVector3Array } from './variant-pools.ts'
export type { VariantLimits } from './variant-limits.ts'
export { encodeVariant } from './variant-encode.ts'
export { decodeVariant } from './variant-decode.ts'
export type { VariantDecodeOptions, VariantFailure, VariantResult } from './variant-decode.ts'

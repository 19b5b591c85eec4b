// The bounds that protect a decoder from bytes of strangers. An encoder keeps the same ones: what we write can be read.

/** Bytes of one message. */
export const MESSAGE_BYTES_MAX = 32 * 1024 * 1024

/** Nesting of self-describing values. */
export const DEPTH_MAX = 32

/** Self-describing values in one message, and list elements that may take no bits: what costs no bytes must cost something. */
export const NODES_MAX = 4096

/** Bytes of UTF-8 in a string whose type says nothing else. */
export const STRING_BYTES_MAX = 16 * 1024

/** Elements of an array whose type says nothing else. */
export const ARRAY_COUNT_MAX = 65_535

/** Entries of a map: keys come from strangers, and a hash table of numbers chosen by a stranger is slow. */
export const MAP_COUNT_MAX = 1024

/** Bytes of the magnitude of a bigint: 1,024 bits. */
export const BIGINT_BYTES_MAX = 128

/** Names that lead to a prototype. Never a key: not of a record, not of a map, not of a self-describing object. */
export const isForbiddenKey = (key: string): boolean => key === '__proto__' || key === 'constructor' || key === 'prototype'

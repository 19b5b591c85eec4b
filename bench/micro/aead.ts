// What authenticated encryption of datagrams costs with node:crypto, cipher by cipher, beside a signature without encryption. There is
// no secure mode to measure yet: these are the figures to choose by, and to know what encryption below ENet's wire would cost a server.

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import Benchmark from 'benchmark'
import { SeededRandom } from '../../src/util/random.ts'

const random = new SeededRandom(1)
const options = { maxTime: 0.5 }
const randomBytes = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  random.bytes(bytes)
  return bytes
}

const TAG_BYTES = 16
/** As a connection has them: a constant part, and a counter that never comes twice. */
const nonce = randomBytes(12)
/** The datagram's header, which travels in the clear and is covered by the tag. */
const header = randomBytes(8)
const counter = new DataView(nonce.buffer)
const nextNonce = (): Uint8Array => {
  counter.setUint32(8, (counter.getUint32(8) + 1) >>> 0)
  return nonce
}

const CIPHERS = [['chacha20-poly1305', 32], ['aes-128-gcm', 16], ['aes-256-gcm', 32]] as const

const seal = (name: (typeof CIPHERS)[number][0], key: Uint8Array, iv: Uint8Array, plain: Uint8Array): { sealed: Buffer; tag: Buffer } => {
  // One name at a time, since the types of node:crypto tell the modes apart.
  const cipher = name === 'chacha20-poly1305' ? createCipheriv(name, key, iv, { authTagLength: TAG_BYTES }) : createCipheriv(name, key, iv)
  cipher.setAAD(header, { plaintextLength: plain.length })
  const sealed = cipher.update(plain)
  cipher.final()
  return { sealed, tag: cipher.getAuthTag() }
}

const open = (
  name: (typeof CIPHERS)[number][0], key: Uint8Array, iv: Uint8Array, { sealed, tag }: { sealed: Uint8Array; tag: Uint8Array },
): Buffer => {
  const decipher = name === 'chacha20-poly1305' ? createDecipheriv(name, key, iv, { authTagLength: TAG_BYTES })
    : createDecipheriv(name, key, iv)
  decipher.setAAD(header, { plaintextLength: sealed.length })
  decipher.setAuthTag(tag)
  const plain = decipher.update(sealed)
  decipher.final()
  return plain
}

/** What was computed last: a result that nobody uses need not be computed at all. */
export let last: unknown = null

export const suite = new Benchmark.Suite('aead')

for (const size of [64, 1200]) {
  const plain = randomBytes(size)
  for (const [name, keyBytes] of CIPHERS) {
    const key = randomBytes(keyBytes)
    suite.add(`seal (${size} B) — ${name}`, () => { last = seal(name, key, nextNonce(), plain) }, options)
  }
  const key = randomBytes(32)
  suite.add(`seal (${size} B) — hmac-sha256, tag only`, () => {
    last = createHmac('sha256', key).update(nextNonce()).update(header).update(plain).digest().subarray(0, TAG_BYTES)
  }, options)
  for (const [name, keyBytes] of CIPHERS) {
    const key = randomBytes(keyBytes)
    const iv = randomBytes(12)
    const sealed = seal(name, key, iv, plain)
    if (!open(name, key, iv, sealed).equals(plain)) throw new Error(`${name} does not open what it sealed`)
    suite.add(`open (${size} B) — ${name}`, () => { last = open(name, key, iv, sealed) }, options)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  suite.on('cycle', (event: Benchmark.Event) => console.log(String(event.target))).run()
}

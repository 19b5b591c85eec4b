// The rivals, each in its best form: MessagePack and CBOR with shared record structures (no keys on the wire), protobuf and Avro with
// schemas that use the smallest number type they have. All get the same values as our codec; enums are numbers for protobuf, as its
// own generated types would have it. `scaled` is what a careful user would do by hand to save bytes: fractions become integers.

import { Encoder as CborEncoder } from 'cbor-x'
import { Packr } from 'msgpackr'
import protobuf from 'protobufjs'
import avro from 'avsc'

const words = {
  kind: ['player', 'bot', 'projectile', 'vehicle', 'item', 'door'],
  state: ['idle', 'walk', 'run', 'jump', 'fall', 'attack', 'dead'],
  team: ['red', 'blue', 'green', 'spectators'],
  to: ['all', 'team', 'whisper'],
  harm: ['bullet', 'explosion', 'fall', 'fire', 'poison', 'melee'],
  mode: ['deathmatch', 'team deathmatch', 'capture the flag', 'king of the hill', 'cooperative'],
  codec: ['opus', 'speex', 'raw'],
}

/** Field lists: name, kind; a kind is a rival-neutral word that both schema languages below translate. */
const fields = {
  vec: { x: 'fraction', y: 'fraction', z: 'fraction' },
  quat: { x: 'float', y: 'float', z: 'float', w: 'float' },
  input: {
    tick: 'uint', forward: 'fraction', right: 'fraction', yaw: 'fraction', pitch: 'fraction',
    jump: 'bool', crouch: 'bool', sprint: 'bool', fire: 'bool', aim: 'bool', reload: 'bool', weapon: 'uint',
  },
  movement: { id: 'uint', tick: 'uint', position: 'vec', velocity: 'vec', rotation: 'rotation', grounded: 'bool' },
  entity: {
    id: 'uint', kind: 'enum kind', position: 'vec', velocity: 'vec', heading: 'fraction', health: 'uint', state: 'enum state',
    team: 'enum team',
  },
  snapshot: { tick: 'uint', acknowledgedInput: 'uint', entities: 'list entity' },
  chat: { from: 'uint', to: 'enum to', text: 'text' },
  slot: { item: 'uint', count: 'uint', wear: 'optional uint' },
  inventory: { gold: 'uint', selected: 'uint', slots: 'holes slot' },
  rgba: { r: 'uint', g: 'uint', b: 'uint', a: 'uint' },
  spawn: {
    id: 'uint', kind: 'enum kind', name: 'text', team: 'enum team', position: 'vec', rotation: 'rotation', color: 'color', health: 'uint',
    owner: 'optional uint',
  },
  damage: { target: 'uint', source: 'uint', amount: 'uint', kind: 'enum harm', critical: 'bool', point: 'vec' },
  lobbyInfo: {
    name: 'text', map: 'text', mode: 'enum mode', players: 'uint', maxPlayers: 'uint', locked: 'bool', started: 'bool',
    version: 'list uint',
    tags: 'list text',
  },
  row: { id: 'uint', name: 'text', team: 'enum team', score: 'int', kills: 'uint', deaths: 'uint', pingMs: 'uint' },
  scoreTable: { secondsLeft: 'uint', rows: 'list row' },
  edit: { x: 'uint', y: 'uint', z: 'uint', block: 'uint' },
  terrainEdit: { chunkX: 'int', chunkZ: 'int', revision: 'uint', edits: 'list edit' },
  voiceHeader: {
    speaker: 'uint', sequence: 'uint', timestamp: 'uint', codec: 'enum codec', frames: 'uint', level: 'fraction', positional: 'bool',
    last: 'bool',
  },
  empty: {},
}

/** A message of ours as a careful user would squeeze it by hand: every fraction an integer, rotation and colour one 32-bit number. */
const steps = {
  position: 0.01, point: 0.01, velocity: 0.0625, heading: 0.3515625, yaw: 0.0054931640625, pitch: 0.0054931640625, forward: 0.0078125,
  right: 0.0078125, level: 0.5,
}
const scale = (value, step) => (typeof value === 'number' ? Math.round(value / step) : mapValues(value, (v) => scale(v, step)))
const mapValues = (object, f) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value, key)]))
const squeeze = (value, key) => {
  if (key in steps) return scale(value, steps[key])
  if (key === 'rotation') return smallestThree(value)
  if (key === 'color') return ((value.r << 24) | (value.g << 16) | (value.b << 8) | value.a) >>> 0
  if (Array.isArray(value)) return value.map((v) => squeeze(v))
  if (typeof value === 'object' && value !== null) return mapValues(value, squeeze)
  return value
}
const smallestThree = ({ x, y, z, w }) => {
  const all = [x, y, z, w]
  const largest = all.reduce((best, v, i) => (Math.abs(v) > Math.abs(all[best]) ? i : best), 0)
  const sign = all[largest] < 0 ? -1 : 1
  return all.filter((_, i) => i !== largest).reduce((sum, v) => (sum << 10) | Math.round((sign * v * Math.SQRT2 + 1) * 511), largest) >>> 0
}

const protoType = (kind, scaled) => {
  const [first, second] = kind.split(' ')
  if (first === 'list') return `repeated ${protoType(second, scaled)}`
  if (first === 'holes') return `repeated ${second}`
  if (first === 'optional') return `optional ${protoType(second, scaled)}`
  if (first === 'rotation') return scaled ? 'fixed32' : 'quat'
  if (first === 'color') return scaled ? 'fixed32' : 'rgba'
  return { uint: 'uint32', int: 'sint32', fraction: scaled ? 'sint32' : 'float', enum: `E${second}`, text: 'string' }[first] ?? first
}

const protoSchema = (scaled) => {
  const messages = Object.entries(fields).map(([name, shape]) =>
    `message ${name} { ${Object.entries(shape).map(([key, kind], i) => `${protoType(kind, scaled)} ${key} = ${i + 1};`).join(' ')} }`)
  const enums = Object.entries(words).map(([name, list]) => `enum E${name} { ${list.map((_, i) => `${name}_${i} = ${i};`).join(' ')} }`)
  return protobuf.parse(`syntax = "proto3"; ${enums.join('\n')} ${messages.join('\n')}`, { keepCase: true }).root
}

/** A value with enums as numbers; an empty slot is an empty message (protobuf has no null in a list). */
const forProto = (value, name) => {
  const shape = fields[name]
  return mapValues(value, (v, key) => {
    const [first, second] = shape[key].split(' ')
    if (first === 'enum') return words[second].indexOf(v)
    if (first === 'holes') return v.map((slot) => (slot === null ? {} : forProto(slot, second)))
    if (first === 'list' && fields[second] !== undefined) return v.map((element) => forProto(element, second))
    return v
  })
}

/** Avro's symbols are identifiers. */
const asSymbol = (word) => word.replaceAll(' ', '_')

const avroType = (kind, scaled, seen) => {
  const [first, second] = kind.split(' ')
  const named = (name, make) => (seen.has(name) ? name : (seen.add(name), make()))
  if (first === 'list') return { type: 'array', items: avroType(second, scaled, seen) }
  if (first === 'holes') return { type: 'array', items: ['null', avroType(second, scaled, seen)] }
  if (first === 'optional') return ['null', avroType(second, scaled, seen)]
  if (first === 'enum') {
    return named(`E${second}`, () => ({ type: 'enum', name: `E${second}`, symbols: words[second].map(asSymbol) }))
  }
  if ((first === 'rotation' || first === 'color') && scaled) {
    return named(`F${first}`, () => ({ type: 'fixed', name: `F${first}`, size: 4 }))
  }
  if (first === 'rotation') return avroType('quat', scaled, seen)
  if (first === 'color') return avroType('rgba', scaled, seen)
  if (fields[first] !== undefined) {
    const fieldOf = ([name, k]) => ({ name, type: avroType(k, scaled, seen), ...(k.startsWith('optional') ? { default: null } : {}) })
    return named(first, () => ({ type: 'record', name: first, fields: Object.entries(fields[first]).map(fieldOf) }))
  }
  return { uint: 'int', int: 'int', fraction: scaled ? 'int' : 'float', bool: 'boolean', text: 'string', float: 'float' }[first]
}
// Avro's int has 32 signed bits; a tick or timestamp of these messages fits.

const forAvro = (value, name, scaled) => {
  const shape = fields[name]
  const out = {}
  for (const [key, kind] of Object.entries(shape)) {
    const [first, second] = kind.split(' ')
    const v = value[key]
    if (first === 'optional') out[key] = v ?? null
    else if (first === 'enum') out[key] = asSymbol(v)
    else if (first === 'list' && fields[second] !== undefined) out[key] = v.map((element) => forAvro(element, second, scaled))
    else if (first === 'holes') out[key] = v.map((slot) => (slot === null ? null : forAvro(slot, second, scaled)))
    else if ((first === 'rotation' || first === 'color') && scaled) {
      out[key] = Buffer.alloc(4)
      out[key].writeUInt32LE(v)
    } else out[key] = v
  }
  return out
}

/** For one message: name of the rival → { values, encode, decode }. */
export const rivals = (scaled) => {
  const root = protoSchema(scaled)
  // Each needs a list of record structures of its own: they write into it.
  const options = () => ({ structures: [], maxSharedStructures: 32, useFloat32: scaled ? 0 : 1 })
  const packr = new Packr(options())
  const cbor = new CborEncoder(options())
  return (name, values) => {
    const prepared = scaled ? values.map((value) => squeeze(value)) : values
    const proto = root.lookupType(name)
    const avroSchema = avro.Type.forSchema(avroType(name, scaled, new Set()), { wrapUnions: false })
    return {
      msgpackr: { values: prepared, encode: (value) => packr.pack(value), decode: (bytes) => packr.unpack(bytes) },
      'cbor-x': { values: prepared, encode: (value) => cbor.encode(value), decode: (bytes) => cbor.decode(bytes) },
      protobufjs: {
        values: prepared.map((value) => forProto(value, name)),
        encode: (value) => proto.encode(value).finish(),
        decode: (bytes) => proto.decode(bytes),
      },
      avsc: {
        values: prepared.map((value) => forAvro(value, name, scaled)),
        encode: (value) => avroSchema.toBuffer(value),
        decode: (bytes) => avroSchema.fromBuffer(bytes),
      },
    }
  }
}

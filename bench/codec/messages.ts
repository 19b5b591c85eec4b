// The twelve game messages that the codec is measured on: fields, ranges and seeded values. Written down before any codec was measured;
// changing a range to please a codec would make every earlier figure worthless. Rivals get the same values (bench/peers).

import { SeededRandom } from '../../src/util/random.ts'
import { t } from '../../src/rpc/codec/index.ts'
import type { Infer, Type } from '../../src/rpc/codec/index.ts'

/** Entities are numbered 0 to 4095. */
const entity = t.range(0, 4095)
/** A world of 4 km, in centimetres. */
const place = t.vec3.of(t.quantized(-2048, 2048, 0.01))
/** Up to 100 m/s each way, in sixteenths. */
const speed = t.vec3.of(t.quantized(-100, 100, 0.0625))
/** A heading in 1,024 steps of a turn. */
const heading = t.quantized(0, 360, 0.3515625)
const team = t.enum('red', 'blue', 'green', 'spectators')
const health = t.range(0, 100)

/** What a player does in one tick. */
export const input = t.record({
  tick: t.u32,
  forward: t.quantized(-1, 1, 0.0078125),
  right: t.quantized(-1, 1, 0.0078125),
  yaw: t.quantized(0, 360, 0.0054931640625),
  pitch: t.quantized(-90, 90, 0.0054931640625),
  jump: t.bool,
  crouch: t.bool,
  sprint: t.bool,
  fire: t.bool,
  aim: t.bool,
  reload: t.bool,
  weapon: t.range(0, 9),
})

/** Where an entity is and how it moves on. */
export const movement = t.record({ id: entity, tick: t.u32, position: place, velocity: speed, rotation: t.quaternion, grounded: t.bool })

/** The world around a player: 20 entities. */
export const snapshot = t.record({
  tick: t.u32,
  acknowledgedInput: t.u32,
  entities: t.array(
    t.record({
      id: entity,
      kind: t.enum('player', 'bot', 'projectile', 'vehicle', 'item', 'door'),
      position: place,
      velocity: speed,
      heading,
      health,
      state: t.enum('idle', 'walk', 'run', 'jump', 'fall', 'attack', 'dead'),
      team,
    }),
    { max: 255 },
  ),
})

export const chat = t.record({ from: entity, to: t.enum('all', 'team', 'whisper'), text: t.string.max(255) })

/** 24 slots, some of them empty. */
export const inventory = t.record({
  gold: t.range(0, 9_999_999),
  selected: t.range(0, 23),
  slots: t.array(t.nullable(t.record({ item: t.range(0, 1023), count: t.range(1, 99), wear: t.optional(t.range(0, 100)) })),
    { length: 24 }),
})

export const spawn = t.record({
  id: entity,
  kind: t.enum('player', 'bot', 'projectile', 'vehicle', 'item', 'door'),
  name: t.string.max(24),
  team,
  position: place,
  rotation: t.quaternion,
  color: t.rgba8,
  health,
  owner: t.optional(entity),
})

export const damage = t.record({
  target: entity,
  source: entity,
  amount: t.range(1, 1000),
  kind: t.enum('bullet', 'explosion', 'fall', 'fire', 'poison', 'melee'),
  critical: t.bool,
  point: place,
})

export const lobbyInfo = t.record({
  name: t.string.max(48),
  map: t.string.max(32),
  mode: t.enum('deathmatch', 'team deathmatch', 'capture the flag', 'king of the hill', 'cooperative'),
  players: t.range(0, 64),
  maxPlayers: t.range(1, 64),
  locked: t.bool,
  started: t.bool,
  version: t.tuple(t.u8, t.u8, t.u16),
  tags: t.array(t.string.max(16), { max: 8 }),
})

/** 16 players. */
export const scoreTable = t.record({
  secondsLeft: t.range(0, 3600),
  rows: t.array(
    t.record({ id: entity, name: t.string.max(24), team, score: t.range(-10_000, 100_000), kills: t.range(0, 1000),
      deaths: t.range(0, 1000), pingMs: t.range(0, 1023) }),
    { max: 64 },
  ),
})

/** Blocks changed in one chunk of 16 × 16 × 256; an explosion changes some dozens. */
export const terrainEdit = t.record({
  chunkX: t.range(-32_768, 32_767),
  chunkZ: t.range(-32_768, 32_767),
  revision: t.u16,
  edits: t.array(t.record({ x: t.range(0, 15), y: t.range(0, 255), z: t.range(0, 15), block: t.range(0, 511) }), { max: 255 }),
})

/** What stands before a piece of compressed speech. */
export const voiceHeader = t.record({
  speaker: entity,
  sequence: t.u16,
  timestamp: t.u32,
  codec: t.enum('opus', 'speex', 'raw'),
  frames: t.range(1, 6),
  level: t.quantized(-96, 0, 0.5),
  positional: t.bool,
  last: t.bool,
})

/** A ready-signal, a heartbeat, a call without arguments. */
export const empty = t.record({})

/** The twelve, in the order of the tables. */
export const messages = {
  input, movement, snapshot, chat, inventory, spawn, damage, lobbyInfo, scoreTable, terrainEdit, voiceHeader, empty,
} as const

export type MessageName = keyof typeof messages

const NAMES = ['Nala', 'Timo', 'xXSniperXx', 'Zoë', 'Björn the Bold', 'player_4711', 'Mika', 'Anastasia', 'Kenji', 'ノゾミ', 'Old Greg', 'r2']
const WORDS = (
  'we need more wood at the gate they come from the left side I am almost dead cover me please good game everyone nice shot lol wait for it'
).split(' ')
const MAPS = ['Harbour', 'Old Mill', 'Glacier Pass', 'de_quarry', 'Reactor 9']
const TAGS = ['casual', 'ranked', 'beginners', 'night', 'no bots', 'eu', '32 tick']

/** Draws values as a game would send them: most things small, most flags down, places near each other. */
class Dice extends SeededRandom {
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  /** A multiple of `step` from `min`, as a decoder gives it back. */
  steps(min: number, max: number, step: number): number {
    return min + this.below(Math.round((max - min) / step) + 1) * step
  }

  place(): { x: number; y: number; z: number } {
    return { x: this.steps(-2048, 2048, 0.01), y: this.steps(-10, 120, 0.01), z: this.steps(-2048, 2048, 0.01) }
  }

  speed(): { x: number; y: number; z: number } {
    if (this.chance(0.4)) return { x: 0, y: 0, z: 0 }
    return { x: this.steps(-8, 8, 0.0625), y: this.steps(-4, 4, 0.0625), z: this.steps(-8, 8, 0.0625) }
  }

  rotation(): { x: number; y: number; z: number; w: number } {
    const x = this.unit() - 0.5
    const y = this.unit() - 0.5
    const z = this.unit() - 0.5
    const w = this.unit() - 0.5
    const length = Math.sqrt(x * x + y * y + z * z + w * w)
    return { x: x / length, y: y / length, z: z / length, w: w / length }
  }

  entity(): number {
    return this.below(this.chance(0.5) ? 100 : 4096)
  }

  tick(): number {
    return this.between(20_000, 2_000_000)
  }

  sentence(): string {
    const words: string[] = []
    for (let i = this.between(1, 14); i > 0; i--) words.push(this.pick(WORDS))
    return words.join(' ') + (this.chance(0.15) ? ' 👍' : '')
  }

  list<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make)
  }
}

const TEAMS = ['red', 'blue', 'green', 'spectators'] as const
const KINDS = ['player', 'bot', 'projectile', 'vehicle', 'item', 'door'] as const

const makers: { [M in MessageName]: (d: Dice) => Infer<(typeof messages)[M]> } = {
  input: (d) => ({
    tick: d.tick(),
    forward: d.pick([0, 1, 1, -1, 0.5]),
    right: d.pick([0, 0, 1, -1, -0.25]),
    yaw: d.steps(0, 360, 0.0054931640625),
    pitch: d.steps(-30, 30, 0.0054931640625),
    jump: d.chance(0.1),
    crouch: d.chance(0.2),
    sprint: d.chance(0.5),
    fire: d.chance(0.3),
    aim: d.chance(0.3),
    reload: d.chance(0.05),
    weapon: d.below(10),
  }),
  movement: (d) => ({ id: d.entity(), tick: d.tick(), position: d.place(), velocity: d.speed(), rotation: d.rotation(),
    grounded: d.chance(0.8) }),
  snapshot: (d) => ({
    tick: d.tick(),
    acknowledgedInput: d.tick(),
    entities: d.list(20, () => ({
      id: d.entity(),
      kind: d.pick(KINDS),
      position: d.place(),
      velocity: d.speed(),
      heading: d.steps(0, 360, 0.3515625),
      health: d.chance(0.5) ? 100 : d.between(0, 100),
      state: d.pick(['idle', 'walk', 'run', 'jump', 'fall', 'attack', 'dead'] as const),
      team: d.pick(TEAMS),
    })),
  }),
  chat: (d) => ({ from: d.entity(), to: d.pick(['all', 'team', 'whisper'] as const), text: d.sentence() }),
  inventory: (d) => ({
    gold: d.below(d.chance(0.5) ? 500 : 1_000_000),
    selected: d.below(24),
    slots: d.list(24, () => {
      if (d.chance(0.4)) return null
      const slot = { item: d.below(1024), count: d.chance(0.5) ? 1 : d.between(1, 99) }
      return d.chance(0.3) ? { ...slot, wear: d.between(0, 100) } : slot
    }),
  }),
  spawn: (d) => {
    const body = {
      id: d.entity(),
      kind: d.pick(KINDS),
      name: d.pick(NAMES),
      team: d.pick(TEAMS),
      position: d.place(),
      rotation: d.rotation(),
      color: { r: d.below(256), g: d.below(256), b: d.below(256), a: 255 },
      health: 100,
    }
    return d.chance(0.3) ? { ...body, owner: d.entity() } : body
  },
  damage: (d) => ({
    target: d.entity(),
    source: d.entity(),
    amount: d.between(1, d.chance(0.9) ? 100 : 1000),
    kind: d.pick(['bullet', 'explosion', 'fall', 'fire', 'poison', 'melee'] as const),
    critical: d.chance(0.1),
    point: d.place(),
  }),
  lobbyInfo: (d) => ({
    name: `${d.pick(NAMES)}'s game`,
    map: d.pick(MAPS),
    mode: d.pick(['deathmatch', 'team deathmatch', 'capture the flag', 'king of the hill', 'cooperative'] as const),
    players: d.below(33),
    maxPlayers: d.pick([8, 16, 32, 64]),
    locked: d.chance(0.2),
    started: d.chance(0.5),
    version: [1, d.below(20), d.below(400)],
    tags: d.list(d.below(5), () => d.pick(TAGS)),
  }),
  scoreTable: (d) => ({
    secondsLeft: d.between(0, 900),
    rows: d.list(16, () => ({
      id: d.entity(),
      name: d.pick(NAMES),
      team: d.pick(TEAMS),
      score: d.between(-200, 4000),
      kills: d.below(40),
      deaths: d.below(40),
      pingMs: d.between(8, 200),
    })),
  }),
  terrainEdit: (d) => {
    const y = d.between(20, 200)
    return {
      chunkX: d.between(-300, 300),
      chunkZ: d.between(-300, 300),
      revision: d.below(2000),
      edits: d.list(d.between(8, 56), () =>
        ({ x: d.below(16), y: y + d.below(8), z: d.below(16), block: d.chance(0.7) ? 0 : d.below(512) })),
    }
  },
  voiceHeader: (d) => ({
    speaker: d.entity(),
    sequence: d.below(65_536),
    timestamp: d.below(50_000_000),
    codec: 'opus',
    frames: d.between(1, 3),
    level: d.steps(-60, 0, 0.5),
    positional: d.chance(0.7),
    last: d.chance(0.05),
  }),
  empty: () => ({}),
}

/** One message with its type and the values that stand for it in every measurement. */
export interface Case {
  readonly name: MessageName
  readonly type: Type<any>
  readonly values: readonly object[]
}

/** @param count values of each message @param seed equal seeds give equal values everywhere */
export const corpus = (count = 64, seed = 20_260): Case[] =>
  (Object.keys(messages) as MessageName[]).map((name, i) => {
    const dice = new Dice(seed + i)
    return { name, type: messages[name], values: Array.from({ length: count }, () => makers[name](dice)) }
  })

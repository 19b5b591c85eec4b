// Godot's MultiplayerAPI as a dialect of rpc: what the dispatcher wants said becomes Godot's packets, and what Godot's
// packets ask for goes to the dispatcher, which knows what is attached and who may call it. SPEC §16.3, §16.4, §16.7.

import type { CallDelivery, Dialect, Inbound, MemberEntry, NodeContract, Outgoing, Passing, RpcPort } from '../rpc/index.ts'
import { VaivenError } from '../util/errors.ts'
import { GODOT3 } from './framing.ts'
import { GodotMembers } from './members.ts'
import { PathNumbers, PathTable, wirePath } from './paths.ts'
import { decodePacket, decodeValues, encodeCall, encodeConfirmPath, encodeSet, encodeSimplifyPath } from './packets.ts'
import type { GodotPacket, NodeReference } from './packets.ts'
import { resolveVariantLimits } from './variant-limits.ts'
import type { ResolvedVariantLimits, VariantLimits } from './variant-limits.ts'

/** What programs may say about the dialect. */
export interface GodotDialectOptions {
  /**
   * Names of methods, properties and nodes that do not follow the rule (camelCase here, snake_case there): ours → Godot's.
   * Nodes are named by their contract's name.
   */
  names?: Readonly<Record<string, string>>
  /** Bounds for values from strangers, and for our own. */
  limits?: VariantLimits
}

export class GodotDialect implements Dialect {
  readonly name: string = GODOT3
  readonly #port: RpcPort
  readonly #inbound: Inbound
  readonly #limits: ResolvedVariantLimits
  readonly #members: GodotMembers
  readonly #numbers = new PathNumbers()
  readonly #table = new PathTable()

  /** @throws VaivenError ERR_OPTION_RANGE */
  constructor(port: RpcPort, inbound: Inbound, options: GodotDialectOptions = {}) {
    this.#port = port
    this.#inbound = inbound
    this.#limits = resolveVariantLimits(options.limits)
    this.#members = new GodotMembers(options.names)
  }

  // ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  call(outgoing: Outgoing): void {
    const { entry, name, args } = outgoing
    const method = entry === null ? this.#members.nameOf(name) : this.#members.of(entry.node.contract).theirs(entry.name)
    const values = this.#members.toGodot(entry, args)
    this.#send(outgoing, (node) => encodeCall(node, method, values, this.#limits))
  }

  set(outgoing: Outgoing): void {
    const { entry, name, args } = outgoing
    const property = entry === null ? this.#members.nameOf(name) : this.#members.of(entry.node.contract).theirs(entry.name)
    const [value = null] = this.#members.toGodot(entry, args)
    this.#send(outgoing, (node) => encodeSet(node, property, value, this.#limits))
  }

  request({ path, name }: Outgoing): void {
    throw new VaivenError('ERR_ARGUMENT', `${path}.${name}: a Godot game cannot answer calls; declare a method of its own for the answer`)
  }

  cancel(): void {
    // There are no requests.
  }

  /** One packet for all where all know the number of the path, else one for each, as the engine does. §16.4 */
  #send({ path, entry, target, delivery, channel }: Outgoing, packet: (node: NodeReference) => Uint8Array): void {
    const port = this.#port
    const wire = this.#members.pathOf(path, entry)
    const covered = this.#covered(target)
    const { id, tell, confirmed, unconfirmed } = this.#numbers.plan(wire, covered)
    // Encoded before anything is sent: a value that does not fit must not leave half a call behind.
    const long = unconfirmed.length > 0 ? packet(wire) : null
    const short = confirmed.length > 0 || long === null ? packet(id) : null
    for (const peer of tell) this.#say(peer, encodeSimplifyPath(id, wire))
    if (long === null && typeof target === 'number') return port.send(target, short!, delivery, channel, this.name)
    for (const peer of covered) {
      const bytes = confirmed.includes(peer) ? short! : long!
      try {
        port.send(peer, bytes, delivery, channel, this.name)
      } catch (error) {
        // To one peer alone the error is the caller's; among many, a slow one must not keep the others from hearing it.
        if (covered.length === 1) throw error
        port.report(error, { peer, node: path })
      }
    }
  }

  /** The peers that a target means and that speak Godot. */
  #covered(target: number | readonly number[]): readonly number[] {
    const port = this.#port
    if (typeof target === 'number' && target > 0) return [target]
    const asked = typeof target === 'number' ? port.peerIds.filter((peer) => peer !== -target) : target
    return asked.filter((peer) => port.dialectOf(peer) === this.name)
  }

  /** Something of ours about paths: reliable, and nobody's fault when the peer has just left. */
  #say(peer: number, packet: Uint8Array): void {
    try {
      this.#port.send(peer, packet, 'reliable', undefined, this.name)
    } catch (error) {
      this.#port.report(error, { peer })
    }
  }

  // ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

  receive(source: number, payload: Uint8Array, _delivery: CallDelivery): void {
    const result = decodePacket(payload)
    if (!result.ok) return this.#inbound.refuse(source, 'shape')
    const { packet } = result
    switch (packet.type) {
      case 'call':
      case 'set':
        return this.#receiveCall(source, packet)
      case 'simplifyPath':
        // Confirmed as it was said, whether or not there is such a node, as the engine does.
        if (this.#table.learn(source, packet.id, packet.path) && this.#port.has(source)) this.#say(source, encodeConfirmPath(packet.path))
        return
      case 'confirmPath':
        // One that nobody waits for is from before a reconnect, or nonsense; neither does harm.
        this.#numbers.confirm(source, packet.path)
        return
      case 'raw':
        // Travels as a message of the session; the framing never brings it here.
        return this.#inbound.refuse(source, 'shape')
    }
  }

  #receiveCall(source: number, packet: Extract<GodotPacket, { type: 'call' | 'set' }>): void {
    const inbound = this.#inbound
    const name = packet.type === 'call' ? packet.method : packet.property
    const said = this.#table.resolve(source, packet.node)
    if (said === null) return inbound.refuse(source, 'unknown', String(packet.node), name)
    const entry = this.#find(wirePath(said), name)
    if (entry === undefined) return inbound.refuse(source, 'unknown', said, name)
    const { path } = entry.node
    if ((entry.member.declaration.kind === 'property') !== (packet.type === 'set')) return inbound.refuse(source, 'shape', path, entry.name)
    // Who is not allowed to call costs no decoding.
    if (!inbound.admits(entry, source, packet.values.length)) return
    const values = decodeValues(packet, this.#limits)
    const args = values.ok ? this.#members.fromGodot(entry, values.values) : null
    if (args === null) return inbound.refuse(source, 'shape', path, entry.name)
    if (packet.type === 'set') inbound.set(entry, source, args[0])
    else inbound.runCall(entry, source, args)
  }

  #find(path: string, name: string): MemberEntry | undefined {
    const node = this.#inbound.registry.node(this.#members.ourPath(path))
    const ours = node && this.#members.of(node.contract).ours(name)
    return ours === undefined ? undefined : node!.members.get(ours)
  }

  // ── between other clients ────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A call of a Godot client to one of our own. It always names its path in words: nobody confirms a number for a peer that
   * has none, so the game goes on without. Announcements and confirmations between them say nothing that our own need.
   */
  parse(payload: Uint8Array): Passing | null {
    const result = decodePacket(payload)
    if (!result.ok || (result.packet.type !== 'call' && result.packet.type !== 'set') || typeof result.packet.node !== 'string') return null
    const { packet } = result
    const kind = packet.type
    const entry = this.#find(wirePath(packet.node as string), kind === 'call' ? packet.method : packet.property)
    if (entry === undefined || (entry.member.declaration.kind === 'property') !== (kind === 'set')) return null
    const values = decodeValues(packet, this.#limits)
    const args = values.ok ? this.#members.forOthers(entry, values.values) : null
    return args === null ? null : { kind, entry, args }
  }

  /** A call of one of our own clients to a Godot client, in its name, with the path in words. */
  compose({ kind, entry, args }: Passing): readonly Uint8Array[] {
    const name = this.#members.of(entry.node.contract).theirs(entry.name)
    const path = this.#members.pathOf(entry.node.path, entry)
    const values = this.#members.toGodot(entry, args)
    return [kind === 'call' ? encodeCall(path, name, values, this.#limits) : encodeSet(path, name, values[0] ?? null, this.#limits)]
  }

  // ── who is there ─────────────────────────────────────────────────────────────────────────────────────────────────────

  peerConnected(_peer: number, _direct: boolean): void {
    // Nothing is said before there is a call. What a relayed peer has announced already (its packets may overtake its
    // introduction) stays: it holds our confirmation.
  }

  peerDisconnected(peer: number): void {
    this.#numbers.forget(peer)
    this.#table.forget(peer)
  }

  /** @throws VaivenError ERR_CONTRACT when two of its names are one in Godot */
  attached(contract: NodeContract, _first: boolean): void {
    this.#members.of(contract)
  }
}

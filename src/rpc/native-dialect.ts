// Our own way of writing calls: numbers computed from the contract, values packed by their types. Stateless towards other
// clients, so that a message is understood by everybody it is relayed to. Contracts are compared with the direct neighbour.

import type { CallDelivery, NodeContract } from './contract.ts'
import { isUntyped } from './contract.ts'
import type { Answer, Dialect, Inbound, Outgoing, Passing, Pending } from './dialect.ts'
import { decode, encode } from './codec/index.ts'
import { decodeMessage, encodeMessage, FailureCode, MAX_MEMBERS } from './message.ts'
import type { MemberAddress, RpcMessage } from './message.ts'
import type { RpcPort } from './port.ts'
import type { MemberEntry } from './registry.ts'
import { anyValue, anyValues, decodeArguments, decodeOne, encodeArguments, encodeOne } from './values.ts'

const NO_BYTES = new Uint8Array(0)
/** Names behind numbers that we do not have, kept for messages to people. */
const MAX_FOREIGN = 4096

export class NativeDialect implements Dialect {
  readonly name = 'vaiven'
  readonly #port: RpcPort
  readonly #inbound: Inbound
  /** Peers with a connection of their own to us; which of our contracts they were sent in detail, and of which they sent theirs. */
  readonly #neighbours = new Map<number, { readonly told: Set<string>; readonly heard: Set<string> }>()
  /** Numbers that neighbours declare and we do not. */
  readonly #foreign = new Map<number, { readonly node: string; readonly method: string }>()

  constructor(port: RpcPort, inbound: Inbound) {
    this.#port = port
    this.#inbound = inbound
  }

  // --- out

  call(outgoing: Outgoing): void {
    this.#send(outgoing, { kind: 'call', member: addressOf(outgoing), values: valuesOf(outgoing) })
  }

  request(outgoing: Outgoing, id: number): void {
    this.#send(outgoing, { kind: 'request', member: addressOf(outgoing), id, values: valuesOf(outgoing) })
  }

  set(outgoing: Outgoing): void {
    const values = outgoing.entry === null ? encode(anyValue, outgoing.args[0]) : valuesOf(outgoing)
    this.#send(outgoing, { kind: 'set', member: addressOf(outgoing), values })
  }

  cancel(pending: Pending): void {
    this.#say(pending.peer, { kind: 'cancel', id: pending.id })
  }

  parse(payload: Uint8Array): Passing | null {
    const message = decodeMessage(payload)
    if (message?.kind !== 'call' && message?.kind !== 'set') return null
    const entry = this.#find(message.member)
    const args = entry === undefined ? null : decodeArguments(entry.member, message.values, 'path' in message.member)
    return args === null ? null : { kind: message.kind, entry: entry!, args }
  }

  compose({ kind, entry, args }: Passing): readonly Uint8Array[] {
    const named = isUntyped(entry.member.declaration)
    const member = named ? { path: entry.node.path, name: entry.name } : { key: entry.member.key, instance: entry.node.instance }
    return [encodeMessage({ kind, member, values: encodeArguments(entry.member, args, named) })]
  }

  #send({ target, delivery, channel }: Outgoing, message: RpcMessage): void {
    this.#port.send(target, encodeMessage(message), delivery, channel, this.name)
  }

  /** Something about calls that is no call: reliable, and nobody's fault when the peer has just left. */
  #say(peer: number, message: RpcMessage, delivery: CallDelivery = 'reliable', channel?: number): void {
    if (this.#port.dialectOf(peer) !== this.name) return
    try {
      this.#port.send(peer, encodeMessage(message), delivery, channel, this.name)
    } catch (error) {
      this.#port.report(error, { peer })
    }
  }

  // --- in

  receive(source: number, payload: Uint8Array, delivery: CallDelivery): void {
    const message = decodeMessage(payload)
    if (message === null) return this.#inbound.refuse(source, 'shape')
    switch (message.kind) {
      case 'call':
      case 'set':
      case 'request':
        return this.#receiveCall(source, message, delivery)
      case 'reply':
        return this.#receiveReply(source, message)
      case 'failure': {
        const pending = this.#inbound.pending(source, message.id)
        const details = message.details.length === 0 ? undefined : decode(anyValue, message.details)
        if (details?.ok === false) return this.#inbound.refuse(source, 'shape')
        if (pending !== undefined) this.#inbound.reject(pending, message.code, message.text, details?.value)
        return
      }
      case 'cancel':
        return this.#inbound.cancelled(source, message.id)
      case 'offer':
        return this.#receiveOffer(source, message.contracts)
      case 'details':
        return this.#receiveDetails(source, message)
    }
  }

  #receiveCall(source: number, message: Extract<RpcMessage, { member: MemberAddress }>, delivery: CallDelivery): void {
    const inbound = this.#inbound
    const { member, values } = message
    const named = 'path' in member
    const entry = this.#find(member)
    const answer = message.kind === 'request' ? this.#answer(source, message.id, entry, named, delivery) : null
    if (entry === undefined) {
      const known = this.#describe(member)
      inbound.refuse(source, 'unknown', known?.node, known?.method)
      answer?.fail(FailureCode.unknown, '', undefined)
      return
    }
    const { name, node } = entry
    const isProperty = entry.member.declaration.kind === 'property'
    if (isProperty !== (message.kind === 'set')) return inbound.refuse(source, 'shape', node.path, name)
    if (!inbound.admits(entry, source, values.length)) {
      answer?.fail(FailureCode.notAllowed, '', undefined)
      return
    }
    const args = decodeArguments(entry.member, values, named)
    if (args === null) {
      inbound.refuse(source, 'shape', node.path, name)
      answer?.fail(FailureCode.arguments, '', undefined)
    } else if (message.kind === 'set') inbound.set(entry, source, args[0])
    else if (message.kind === 'request') inbound.runRequest(entry, source, message.id, args, answer!)
    else inbound.runCall(entry, source, args)
  }

  /** Calls by name need a node that allows them, or a method that is declared without types. */
  #find(member: MemberAddress): MemberEntry | undefined {
    const { registry } = this.#inbound
    if (!('path' in member)) return registry.find(member.key, member.instance)
    const node = registry.node(member.path)
    const entry = node?.members.get(member.name)
    return entry !== undefined && (node!.contract.dynamic || isUntyped(entry.member.declaration)) ? entry : undefined
  }

  /** What was meant, as far as anybody has told us: for messages to people. */
  #describe(member: MemberAddress): { readonly node: string; readonly method: string } | undefined {
    if ('path' in member) return { node: member.path, method: member.name }
    return this.#inbound.registry.describe(member.key) ?? this.#foreign.get(member.key)
  }

  #answer(source: number, id: number, entry: MemberEntry | undefined, named: boolean, delivery: CallDelivery): Answer {
    const declaration = entry?.member.declaration
    const channel = declaration?.traits.channel
    return {
      reply: (value) => {
        const type = declaration?.kind === 'method' ? declaration.reply : null
        const selfDescribing = named || type === null
        this.#say(source, { kind: 'reply', id, named: selfDescribing, values: encodeOne(type, value, selfDescribing) }, delivery, channel)
      },
      fail: (code, text, details) => {
        const bytes = details === undefined ? NO_BYTES : encode(anyValue, details)
        this.#say(source, { kind: 'failure', id, code, text, details: bytes }, delivery, channel)
      },
    }
  }

  #receiveReply(source: number, message: Extract<RpcMessage, { kind: 'reply' }>): void {
    const pending = this.#inbound.pending(source, message.id)
    // Answered, timed out or aborted meanwhile: ordinary.
    if (pending === undefined) return
    const declaration = pending.entry?.member.declaration
    const type = declaration?.kind === 'method' ? declaration.reply : null
    const value = decodeOne(type, message.values, message.named || type === null)
    if (value.ok) return this.#inbound.resolve(pending, value.value)
    this.#inbound.refuse(source, 'shape', pending.path, pending.name)
    this.#inbound.reject(pending, FailureCode.arguments, 'the reply does not fit its type', undefined)
  }

  // --- contracts

  peerConnected(peer: number, direct: boolean): void {
    if (!direct) return
    this.#neighbours.set(peer, { told: new Set(), heard: new Set() })
    const contracts = [...this.#inbound.registry.contracts].map(({ name, fingerprint }) => ({ name, fingerprint }))
    if (contracts.length > 0) this.#say(peer, { kind: 'offer', contracts })
  }

  peerDisconnected(peer: number): void {
    this.#neighbours.delete(peer)
  }

  attached({ name, fingerprint }: NodeContract, first: boolean): void {
    if (!first) return
    for (const peer of this.#neighbours.keys()) this.#say(peer, { kind: 'offer', contracts: [{ name, fingerprint }] })
  }

  #receiveOffer(source: number, contracts: readonly { name: string; fingerprint: number }[]): void {
    const told = this.#neighbours.get(source)?.told
    // Only neighbours compare: what clients think of each other, the server would have to know for both.
    if (told === undefined) return
    for (const { name, fingerprint } of contracts) {
      const ours = this.#inbound.registry.contract(name)
      if (ours !== undefined && ours.fingerprint !== fingerprint) this.#tellDetails(source, told, ours)
    }
  }

  #receiveDetails(source: number, { node, members }: Extract<RpcMessage, { kind: 'details' }>): void {
    const neighbour = this.#neighbours.get(source)
    const ours = this.#inbound.registry.contract(node)
    // Once: every difference is a message to a person, and each side tells once.
    if (neighbour === undefined || ours === undefined || neighbour.heard.has(node)) return
    neighbour.heard.add(node)
    const theirs = new Map(members.map((member) => [member.name, member]))
    for (const { name, key, signature } of ours.list) {
      const other = theirs.get(name)
      theirs.delete(name)
      if (other?.key !== key) this.#inbound.difference(source, node, name, signature, other?.signature ?? null)
      if (other !== undefined && other.key !== key) this.#remember(other.key, node, name)
    }
    for (const { name, key, signature } of theirs.values()) {
      this.#remember(key, node, name)
      this.#inbound.difference(source, node, name, null, signature)
    }
    // Whoever attached later may have missed our offer; the details answer it as well.
    this.#tellDetails(source, neighbour.told, ours)
  }

  #tellDetails(peer: number, told: Set<string>, { name, list }: NodeContract): void {
    if (told.has(name)) return
    told.add(name)
    const members = list.slice(0, MAX_MEMBERS).map(({ key, name: member, signature }) => ({ key, name: member, signature }))
    this.#say(peer, { kind: 'details', node: name, members })
  }

  #remember(key: number, node: string, method: string): void {
    if (this.#foreign.size < MAX_FOREIGN) this.#foreign.set(key, { node, method })
  }
}

const addressOf = ({ entry, path, name, named }: Outgoing): MemberAddress =>
  entry === null || named ? { path, name } : { key: entry.member.key, instance: entry.node.instance }

const valuesOf = ({ entry, args, named }: Outgoing): Uint8Array =>
  entry === null ? encode(anyValues, args) : encodeArguments(entry.member, args, named)

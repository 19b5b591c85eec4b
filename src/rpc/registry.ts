// Which nodes are attached here, and how a name or a number on the wire leads to one of their methods or properties.

import { VaivenError } from '../util/errors.ts'
import type { TokenBucket } from '../util/token-bucket.ts'
import type { ContractMember, NodeContract } from './contract.ts'
import type { Mode } from './modes.ts'

/** A method or property of an attached node. */
export class MemberEntry {
  readonly node: NodeEntry
  readonly member: ContractMember
  /** The declared mode until `configure` changes it. [rpc_config, rset_config] */
  mode: Mode
  /** How much each peer may still call. */
  readonly buckets = new Map<number, TokenBucket>()

  constructor(node: NodeEntry, member: ContractMember) {
    this.node = node
    this.member = member
    this.mode = member.declaration.traits.mode
  }

  get name(): string {
    return this.member.name
  }
}

/** An attached node. */
export class NodeEntry {
  readonly contract: NodeContract
  /** Which of several objects with one contract; 0 unless attached with one. */
  readonly instance: number
  /** The program's object. */
  readonly handlers: Record<string, unknown>
  /** Who is in charge of it; each peer keeps this for itself, it is never sent. [set_network_master] */
  master = 1
  readonly members = new Map<string, MemberEntry>()
  /** Last values of properties, by name. */
  readonly values: Record<string, unknown> = Object.create(null) as Record<string, unknown>

  constructor(contract: NodeContract, instance: number, handlers: object) {
    this.contract = contract
    this.instance = instance
    this.handlers = handlers as Record<string, unknown>
    for (const member of contract.list) this.members.set(member.name, new MemberEntry(this, member))
  }

  /** The name under which it is known by name: `lobby`, or `player/7`. [node path] */
  get path(): string {
    return nodePath(this.contract.name, this.instance)
  }
}

/** The path of a node's instance. */
export const nodePath = (name: string, instance: number): string => (instance === 0 ? name : `${name}/${instance}`)

interface Kind {
  readonly contract: NodeContract
  readonly member: ContractMember
  readonly instances: Map<number, MemberEntry>
}

/** The attached nodes of one scope. */
export class Registry {
  readonly #byPath = new Map<string, NodeEntry>()
  readonly #byKey = new Map<number, Kind>()
  readonly #contracts = new Map<string, NodeContract>()

  get nodes(): Iterable<NodeEntry> {
    return this.#byPath.values()
  }

  /** Contracts of the attached nodes, each once. */
  get contracts(): Iterable<NodeContract> {
    return this.#contracts.values()
  }

  contract(name: string): NodeContract | undefined {
    return this.#contracts.get(name)
  }

  node(path: string): NodeEntry | undefined {
    return this.#byPath.get(path)
  }

  /** What a 24-bit key and an instance lead to. */
  find(key: number, instance: number): MemberEntry | undefined {
    return this.#byKey.get(key)?.instances.get(instance)
  }

  /** What a key stands for, whether or not that instance is attached: for messages to people. */
  describe(key: number): { readonly node: string; readonly method: string } | undefined {
    const kind = this.#byKey.get(key)
    return kind === undefined ? undefined : { node: kind.contract.name, method: kind.member.name }
  }

  /** @throws VaivenError ERR_CONTRACT: attached already, another contract under the name, or two methods with one key */
  attach(entry: NodeEntry): void {
    const { contract, instance, path } = entry
    if (this.#byPath.has(path)) {
      throw new VaivenError('ERR_CONTRACT', `node "${path}" is attached already; detach it first, or give an instance`)
    }
    const known = this.#contracts.get(contract.name)
    if (known !== undefined && known.fingerprint !== contract.fingerprint) {
      throw new VaivenError('ERR_CONTRACT', `another contract is attached under the name "${contract.name}"`)
    }
    for (const member of contract.list) {
      const kind = this.#byKey.get(member.key)
      if (kind !== undefined && (kind.contract.name !== contract.name || kind.member.name !== member.name)) {
        const other = `${kind.contract.name}.${kind.member.name}`
        const both = `"${contract.name}.${member.name}" and "${other}"`
        throw new VaivenError('ERR_CONTRACT', `${both} have the same number by chance; rename one of them`)
      }
    }
    this.#byPath.set(path, entry)
    this.#contracts.set(contract.name, contract)
    for (const member of entry.members.values()) {
      let kind = this.#byKey.get(member.member.key)
      if (kind === undefined) {
        kind = { contract, member: member.member, instances: new Map() }
        this.#byKey.set(member.member.key, kind)
      }
      kind.instances.set(instance, member)
    }
  }

  detach(entry: NodeEntry): boolean {
    if (this.#byPath.get(entry.path) !== entry) return false
    this.#byPath.delete(entry.path)
    let last = true
    for (const member of entry.members.values()) {
      const kind = this.#byKey.get(member.member.key)
      kind?.instances.delete(entry.instance)
      if (kind !== undefined && kind.instances.size === 0) this.#byKey.delete(member.member.key)
      else last = false
    }
    if (last) this.#contracts.delete(entry.contract.name)
    return true
  }

  /** A peer has left: its budgets go with it. */
  forgetPeer(peer: number): void {
    for (const node of this.#byPath.values()) for (const member of node.members.values()) member.buckets.delete(peer)
  }
}

// A contract as Godot sees it: what its node, methods and properties are called there, and its values in Variants.

import { decode, encode, t } from '../rpc/index.ts'
import type { MemberEntry, NodeContract, Type } from '../rpc/index.ts'
import { VaivenError } from '../util/errors.ts'
import { MISFIT } from './conversions.ts'
import { NameTable, snakeCase } from './names.ts'
import { wirePath } from './paths.ts'
import { conversionFor } from './type-description.ts'
import type { Variant } from './variant-types.ts'

/** Names and conversions of all contracts of a dialect. */
export class GodotMembers {
  readonly #special: Readonly<Record<string, string>>
  readonly #paths = new Map<string, string>()
  readonly #tables = new WeakMap<NodeContract, NameTable>()

  /** @param special names that do not follow the rule, ours → Godot's */
  constructor(special: Readonly<Record<string, string>> = {}) {
    this.#special = special
    for (const [ours, theirs] of Object.entries(special)) this.#paths.set(wirePath(theirs), ours)
  }

  /** The names of a contract's members. @throws VaivenError ERR_CONTRACT when two of them are one in Godot */
  of(contract: NodeContract): NameTable {
    let table = this.#tables.get(contract)
    if (table === undefined) {
      table = new NameTable(
        `node "${contract.name}"`,
        contract.list.map(({ name }) => name),
        this.#special,
      )
      this.#tables.set(contract, table)
    }
    return table
  }

  /** Godot's name for a method or property that is not attached here. */
  nameOf(ours: string): string {
    return Object.hasOwn(this.#special, ours) ? this.#special[ours]! : snakeCase(ours)
  }

  /** The path of a node as it travels. Nodes keep their names: Godot's own are free, too. */
  pathOf(ours: string, entry: MemberEntry | null): string {
    const name = entry?.node.contract.name ?? ours
    if (!Object.hasOwn(this.#special, name)) return wirePath(ours)
    return wirePath(ours === name ? this.#special[name]! : `${this.#special[name]!}${ours.slice(name.length)}`)
  }

  /** Our path for one that has arrived. */
  ourPath(wire: string): string {
    const exact = this.#paths.get(wire)
    if (exact !== undefined) return exact
    // An instance: the last name is a number.
    const slash = wire.lastIndexOf('/')
    const base = slash === -1 ? undefined : this.#paths.get(wire.slice(0, slash))
    return base === undefined ? wire : base + wire.slice(slash)
  }

  /**
   * Arguments, or the one value of a property, for Godot.
   * @throws VaivenError ERR_ARGUMENT (too many), ERR_ENCODE (a value that does not fit its type)
   */
  toGodot(entry: MemberEntry | null, args: readonly unknown[]): readonly Variant[] {
    const types = entry === null ? null : typesOf(entry)
    if (types === null) return args.map((value) => anything.toGodot(value))
    if (args.length > types.list.length)
      throw new VaivenError('ERR_ARGUMENT', `${entry!.member.signature} was called with ${args.length} arguments`)
    const all = types.list.map((_, i) => args[i])
    // The same bounds as among our own: a u8 does not become 300 only because Godot could read it.
    encode(types.tuple, all)
    return types.list.map((type, i) => conversionFor(type.describe()).toGodot(all[i]))
  }

  /** Values from Godot as the contract has them; null when they do not fit. */
  fromGodot(entry: MemberEntry, values: readonly Variant[]): readonly unknown[] | null {
    const types = typesOf(entry)
    if (types === null) return values
    if (values.length > types.list.length) return null
    const args: unknown[] = []
    for (const [i, type] of types.list.entries()) {
      // Missing ones at the end are fine where the type is optional.
      const value = i < values.length ? conversionFor(type.describe()).fromGodot(values[i]!) : undefined
      if (value === MISFIT) return null
      args.push(value)
    }
    return conformed(types.tuple, args)
  }

  /** The same, for our own clients that the call is passed on to: they know no Variants but as plain data. */
  forOthers(entry: MemberEntry, values: readonly Variant[]): readonly unknown[] | null {
    return typesOf(entry) === null ? values.map((value) => anything.fromGodot(value)) : this.fromGodot(entry, values)
  }
}

/** For members without types. */
const anything = conversionFor('any')

interface Types {
  readonly list: readonly Type<unknown>[]
  readonly tuple: Type<readonly unknown[]>
}

const typesByMember = new WeakMap<object, Types>()

/** The declared types; null for members without any, whose values travel as they are. */
const typesOf = ({ member }: MemberEntry): Types | null => {
  const known = typesByMember.get(member)
  if (known !== undefined) return known
  const { declaration } = member
  const list =
    declaration.kind === 'property' ? (declaration.type === null ? null : [declaration.type]) : declaration.args?.map(({ type }) => type)
  if (list === null || list === undefined) return null
  const types = { list, tuple: t.tuple(...list) as unknown as Type<readonly unknown[]> }
  typesByMember.set(member, types)
  return types
}

/** Values held against their types: a handler sees from Godot what it could see from our own clients, and nothing else. */
const conformed = <T>(type: Type<T>, value: T): T | null => {
  try {
    const decoded = decode(type, encode(type, value))
    return decoded.ok ? decoded.value : null
  } catch {
    return null
  }
}

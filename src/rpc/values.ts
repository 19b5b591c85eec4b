// Arguments, replies and properties as bytes, typed by their declaration or self-describing.

import { VaivenError } from '../util/errors.ts'
import { decode, encode, EncodeError, t } from './codec/index.ts'
import type { Decoded, Type } from './codec/index.ts'
import type { ContractMember, MethodDeclaration } from './contract.ts'

const argumentTypes = new WeakMap<object, Type<readonly unknown[]>>()

/** All arguments of a method as one type. */
const argumentsType = (declaration: MethodDeclaration<readonly unknown[], unknown>): Type<readonly unknown[]> => {
  let type = argumentTypes.get(declaration)
  if (type === undefined) {
    type = t.tuple(...(declaration.args ?? []).map((argument) => argument.type)) as Type<readonly unknown[]>
    argumentTypes.set(declaration, type)
  }
  return type
}

/** One self-describing value. What cannot be one is an error of `encode`, not of the types: it comes from handlers and scripts. */
export const anyValue = t.any as Type<unknown>
/** Any number of self-describing values. */
export const anyValues = t.array(anyValue, { max: 255 }) as Type<readonly unknown[]>

/**
 * A call's arguments as bytes.
 * @throws VaivenError ERR_ARGUMENT (their number), ERR_ENCODE (a value that does not fit)
 */
export const encodeArguments = (member: ContractMember, args: readonly unknown[], named: boolean): Uint8Array => {
  const { declaration } = member
  try {
    if (declaration.kind === 'property') return encodeOne(declaration.type, args[0], named)
    if (declaration.args !== null) checkArguments(member, declaration.args.length, args)
    return named ? encode(anyValues, args) : encode(argumentsType(declaration), pad(args, declaration.args!.length))
  } catch (error) {
    throw error instanceof EncodeError ? misplaced(member, error) : error
  }
}

/** Says which argument of which method does not fit: `registerPlayer, argument 1: name is 5; string holds strings`. */
const misplaced = ({ name, declaration }: ContractMember, error: EncodeError): VaivenError => {
  const { path, problem } = error
  const [, index = '', within = ''] = /^\[(\d+)\]\.?(.*)$/s.exec(declaration.kind === 'property' ? `[0]${path}` : path) ?? []
  const argument = declaration.kind === 'property' ? null : declaration.args?.[Number(index)]?.name || Number(index) + 1
  const where = `${name}${argument === null ? '' : `, argument ${argument}`}${within === '' ? '' : `: ${within}`}`
  return new VaivenError('ERR_ENCODE', `${where} ${problem}`, { cause: error })
}

/** The arguments in bytes, or null when they do not fit. */
export const decodeArguments = (member: ContractMember, bytes: Uint8Array, named: boolean): readonly unknown[] | null => {
  const { declaration } = member
  if (declaration.kind === 'property') {
    const value = decodeOne(declaration.type, bytes, named)
    return value.ok ? [value.value] : null
  }
  if (!named) return declaration.args === null ? null : valueOrNull(decode(argumentsType(declaration), bytes))
  const values = valueOrNull(decode(anyValues, bytes))
  if (values === null || declaration.args === null) return values
  return values.length > declaration.args.length ? null : conformed(argumentsType(declaration), pad(values, declaration.args.length))
}

/** One value: a reply or a property. @throws VaivenError ERR_ENCODE */
export const encodeOne = (type: Type<unknown> | null, value: unknown, named: boolean): Uint8Array => {
  if (!named && type !== null) return encode(type, value)
  // Held against its type all the same, so that the mistake shows where it is made.
  if (type !== null) encode(type, value)
  return encode(anyValue, value)
}

/** One value: a reply or a property. */
export const decodeOne = (type: Type<unknown> | null, bytes: Uint8Array, named: boolean): { ok: true; value: unknown } | { ok: false } => {
  if (!named && type !== null) return decode(type, bytes)
  const found = decode(anyValue, bytes)
  if (!found.ok || type === null) return found
  const value = conformed(type, found.value)
  return value === null && found.value !== null ? { ok: false } : { ok: true, value }
}

/** Values that came without types, as the declared type has them; null when they do not fit. No handler sees anything else. */
export const conformed = <T>(type: Type<T>, value: unknown): T | null => {
  try {
    return valueOrNull(decode(type, encode(type, value as T)))
  } catch {
    return null
  }
}

/** @throws VaivenError ERR_ARGUMENT when there are too many */
const checkArguments = (member: ContractMember, count: number, args: readonly unknown[]): void => {
  if (args.length > count) throw new VaivenError('ERR_ARGUMENT', `${member.signature} was called with ${args.length} arguments`)
}

/** Missing ones at the end are undefined: fine for optional ones, an error with their place for others. */
const pad = (args: readonly unknown[], count: number): readonly unknown[] =>
  args.length >= count ? args : [...args, ...new Array<undefined>(count - args.length).fill(undefined)]

const valueOrNull = <T>(decoded: Decoded<T>): T | null => (decoded.ok ? decoded.value : null)

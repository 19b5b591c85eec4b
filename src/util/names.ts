// Names of options. A misspelt option would silently be its default, so it is an error instead.

import { VaivenError } from './errors.ts'

/** Exactly the names of an options type; the compiler finds a missing one. */
export type Names<Options> = { readonly [Name in keyof Required<Options>]: true }

/** @throws VaivenError ERR_OPTION_RANGE for a name that is no option, with those that are */
export const checkNames = (options: object, names: Readonly<Record<string, true>>): void => {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue
    throw new VaivenError('ERR_OPTION_RANGE', `options.${name} is no option; there are ${Object.keys(names).sort().join(', ')}`)
  }
}

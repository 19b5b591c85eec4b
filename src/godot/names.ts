// What a method, a property or a field is called on the other side: camelCase here, snake_case in GDScript.

import { VaivenError } from '../util/errors.ts'

/**
 * `registerPlayer` → `register_player`, `parseJSONText` → `parse_json_text`, `player2Score` → `player2_score`.
 * A name without capitals stays as it is, so that `register_player` may also be written here as there.
 */
export const snakeCase = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()

/** Names of ours and of Godot's, both ways. */
export class NameTable {
  readonly #toGodot = new Map<string, string>()
  readonly #fromGodot = new Map<string, string>()

  /**
   * @param names ours
   * @param special names that do not follow the rule: ours → Godot's
   * @throws VaivenError ERR_CONTRACT when two of ours would have the same name in Godot
   */
  constructor(where: string, names: Iterable<string>, special: Readonly<Record<string, string>> = {}) {
    for (const name of names) {
      const theirs = Object.hasOwn(special, name) ? special[name]! : snakeCase(name)
      const other = this.#fromGodot.get(theirs)
      if (other !== undefined) {
        throw new VaivenError(
          'ERR_CONTRACT',
          `${where}: "${other}" and "${name}" are both "${theirs}" in Godot; rename one, or give it another name for Godot`,
        )
      }
      this.#toGodot.set(name, theirs)
      this.#fromGodot.set(theirs, name)
    }
  }

  /** Our name for theirs; undefined when we have none. */
  ours(theirs: string): string | undefined {
    return this.#fromGodot.get(theirs)
  }

  /** Their name for ours. */
  theirs(ours: string): string {
    return this.#toGodot.get(ours) ?? snakeCase(ours)
  }
}

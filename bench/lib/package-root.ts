// Where the package begins, whether this runs from source or compiled.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const find = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder)
    if (above === folder) throw new Error('no package.json above the bench')
    folder = above
  }
  return folder
}

/** Folder of the nearest package.json. */
export const packageRoot: string = find()

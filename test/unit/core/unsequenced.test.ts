// SPEC §5.5: which unsequenced groups are new. Against a set that forgets nothing.

import t from 'tap'
import { Group, UnsequencedWindow } from '../../../src/transport/core/unsequenced.ts'
import { SeededRandom } from '../../../src/util/random.ts'

/** The rules in words: the newest so far, and all that ever came, as numbers that do not wrap. */
class Plain {
  newest = 0
  readonly #seen = new Set<number>([0])
  accept(group: number): Group {
    const lead = (group - this.newest) & 0xffff
    const number = lead < 0x8000 ? this.newest + lead : this.newest + lead - 0x10000
    if (number <= this.newest - 1024) return Group.stale
    if (this.#seen.has(number)) return Group.duplicate
    this.#seen.add(number)
    this.newest = Math.max(this.newest, number)
    return Group.fresh
  }
}

t.test('groups that come in any order, twice, late, and around the wrap', (t) => {
  for (const seed of [1, 2, 3]) {
    const random = new SeededRandom(seed)
    const window = new UnsequencedWindow()
    const plain = new Plain()
    let sender = 1
    const counts = [0, 0, 0]
    for (let i = 0; i < 200_000; i++) {
      sender += random.below(3)
      const group = (sender - random.below(seed * 500)) & 0xffff
      const [got, wanted] = [window.accept(group), plain.accept(group)]
      counts[wanted] = (counts[wanted] ?? 0) + 1
      if (got !== wanted) {
        t.fail(`step ${i}, group ${group}, newest ${plain.newest}: ${got} instead of ${wanted}`)
        break
      }
    }
    t.ok(counts[0] !== 0 && counts[1] !== 0 && plain.newest > 3 * 65_536, `seed ${seed}: ${counts}`)
  }
  t.end()
})

t.test('a jump ahead leaves a clean window behind it', (t) => {
  for (const jump of [1, 2, 31, 32, 33, 1022, 1023, 1024, 1025, 2000, 32_767]) {
    const window = new UnsequencedWindow()
    const plain = new Plain()
    for (let group = 1; group <= 1500; group++) if (window.accept(group) !== plain.accept(group)) t.fail(`group ${group}`)
    const newest = 1500 + jump
    const all = [newest, ...Array.from({ length: 1100 }, (_, i) => newest - i)]
    const wrong = all.filter((group) => window.accept(group & 0xffff) !== plain.accept(group & 0xffff))
    t.same(wrong, [], `a jump of ${jump}`)
  }
  t.end()
})

t.test('group 0 counts as seen, and half the space ahead counts as behind', (t) => {
  const window = new UnsequencedWindow()
  t.equal(window.accept(0), Group.duplicate)
  t.equal(window.accept(0x8000), Group.stale)
  t.equal(window.accept(0x7fff), Group.fresh)
  t.equal(window.accept(0x7fff), Group.duplicate)
  t.end()
})

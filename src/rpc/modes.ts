// Who may run what: Godot's RPC modes as one table, for both ends. SPEC §14.3; the rules are those of Godot 3.

/**
 * Who may call a method or set a property, and whether it also runs at the caller.
 *
 * | mode | Godot | who may run it when it arrives | runs locally for the caller |
 * |---|---|---|---|
 * | `remote` | `remote` | everybody | no |
 * | `master` | `master` | only the node's master | only if the caller is the master, and then it is not sent |
 * | `puppet` | `puppet` | all but the master, and only if the master sent it | only if the caller is not the master |
 * | `remoteSync` | `remotesync` | everybody | yes |
 * | `masterSync` | `mastersync` | only the master | yes; if the caller is the master it is not sent |
 * | `puppetSync` | `puppetsync` | as puppet | yes |
 * | `server` | – | everybody, and only if the server sent it | no |
 * | `serverSync` | – | as server | yes |
 * | `disabled` | no keyword | nobody | no |
 */
export type Mode = 'remote' | 'master' | 'puppet' | 'remoteSync' | 'masterSync' | 'puppetSync' | 'server' | 'serverSync' | 'disabled'

interface Rule {
  /** May `sender`'s call run here? */
  readonly allows: (sender: number, ownId: number, master: number) => boolean
  /** Does the caller run it itself? */
  readonly local: (ownId: number, master: number) => boolean
  /** Is it sent at all? */
  readonly sent: (ownId: number, master: number) => boolean
}

const SERVER = 1
const yes = (): boolean => true
const no = (): boolean => false
const isMaster = (ownId: number, master: number): boolean => ownId === master
const isPuppet = (ownId: number, master: number): boolean => ownId !== master
const forMaster = (_sender: number, ownId: number, master: number): boolean => ownId === master
const fromMaster = (sender: number, ownId: number, master: number): boolean => ownId !== master && sender === master
const fromServer = (sender: number): boolean => sender === SERVER

/** The rule of each mode. */
export const MODES: Readonly<Record<Mode, Rule>> = {
  remote: { allows: yes, local: no, sent: yes },
  master: { allows: forMaster, local: isMaster, sent: isPuppet },
  puppet: { allows: fromMaster, local: isPuppet, sent: yes },
  remoteSync: { allows: yes, local: yes, sent: yes },
  masterSync: { allows: forMaster, local: yes, sent: isPuppet },
  puppetSync: { allows: fromMaster, local: yes, sent: yes },
  server: { allows: fromServer, local: no, sent: yes },
  serverSync: { allows: fromServer, local: yes, sent: yes },
  disabled: { allows: no, local: no, sent: no },
}

/** True for the name of a mode. */
export const isMode = (value: unknown): value is Mode => typeof value === 'string' && Object.hasOwn(MODES, value)

// What both sides of the lobby agree on. Types of calls and arguments follow from it, in TypeScript and in editors.
import { defineNode, rpc, t } from 'vaiven/rpc'

export const Lobby = defineNode('lobby', {
  registerPlayer: rpc.remote(t.record({ name: t.string, favoriteColor: t.rgba8 })),
})

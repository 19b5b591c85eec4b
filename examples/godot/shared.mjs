// What both sides agree on. In GDScript the same names are in snake_case: register_player, favorite_color, …
import { defineNode, rpc, t } from 'vaiven/rpc'

export const Lobby = defineNode('lobby', {
  registerPlayer: rpc.remote(t.record({ name: t.string, favoriteColor: t.rgba8 })),
  start: rpc.remote(),
  preConfigureGame: rpc.puppet(),
  donePreconfiguring: rpc.remote(),
  postConfigureGame: rpc.puppet(),
})

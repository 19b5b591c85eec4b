// Sessions with calls, rooms with calls, and the lobby.

export { GameRoom, GameSession } from './game-session.ts'
export type { GameSessionOptions } from './game-session.ts'
export type { CallMethods, CallsOptions, MakeDialect } from './calls.ts'
export { ClientLobby, joinLobby, Lobby, openLobby, ServerLobby } from './lobby.ts'
export type { JoinLobbyOptions, LobbyEvents, LobbyScope, LobbyState, OpenLobbyOptions, Player } from './lobby.ts'

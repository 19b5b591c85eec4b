# Who is here and when the game begins. Lives at /root/lobby (an autoload), at every player.
# Written as a game would be that has a Godot game for its server, after the page "High-level multiplayer".
extends Node

signal changed()
signal began()
signal ended(why)

# What the others are told about us, and what they told us about themselves: id -> info.
var my_info = { name = "Johnson Magenta", favorite_color = Color8(255, 0, 255) }
var player_info = {}

func _ready():
    var tree = get_tree()
    tree.connect("network_peer_connected", self, "_player_connected")
    tree.connect("network_peer_disconnected", self, "_player_disconnected")
    tree.connect("connected_to_server", self, "_connected_ok")
    tree.connect("connection_failed", self, "_connected_fail")
    tree.connect("server_disconnected", self, "_server_disconnected")

func join(host, port):
    var peer = NetworkedMultiplayerENet.new()
    var error = peer.create_client(host, port)
    if error == OK:
        get_tree().network_peer = peer
    return error

func leave():
    get_tree().set_deferred("network_peer", null)
    player_info.clear()

# Ask the server to begin.
func ask_start():
    rpc_id(1, "start")

func _player_connected(id):
    # The server (1) and every other player get to know us.
    rpc_id(id, "register_player", my_info)

func _player_disconnected(id):
    player_info.erase(id)
    emit_signal("changed")

func _connected_ok():
    emit_signal("changed")

func _connected_fail():
    emit_signal("ended", "the server did not let us in")

func _server_disconnected():
    player_info.clear()
    emit_signal("ended", "the server is gone")

remote func register_player(info):
    player_info[get_tree().get_rpc_sender_id()] = info
    emit_signal("changed")

# Everybody loads the level, says so, and waits for the others.
puppet func pre_configure_game():
    get_tree().set_pause(true)
    rpc_id(1, "done_preconfiguring")

puppet func post_configure_game():
    get_tree().set_pause(false)
    emit_signal("began")

# Run: godot --headless --path examples/enet-peers/godot4
extends Node

var connection := ENetConnection.new()
var server: ENetPacketPeer
var heard := 0

func _ready() -> void:
    # One peer, two channels.
    connection.create_host(1, 2)
    # Any of Godot's compressions; the server finds out by itself.
    connection.compress(ENetConnection.COMPRESS_RANGE_CODER)
    server = connection.connect_to_host("127.0.0.1", 7777, 2, 42)

func _process(_delta: float) -> void:
    var event := connection.service()
    while event[0] != ENetConnection.EVENT_NONE:
        receive(event)
        if event[0] == ENetConnection.EVENT_ERROR or event[0] == ENetConnection.EVENT_DISCONNECT:
            return
        event = connection.service()

func receive(event: Array) -> void:
    match event[0]:
        ENetConnection.EVENT_CONNECT:
            print("connected")
            server.send(0, "hello from Godot 4".to_utf8_buffer(), ENetPacketPeer.FLAG_RELIABLE)
            server.send(1, "x=10".to_utf8_buffer(), 0)
            server.send(1, "x=20".to_utf8_buffer(), ENetPacketPeer.FLAG_UNSEQUENCED)
        ENetConnection.EVENT_RECEIVE:
            print("heard \"%s\" on channel %d" % [server.get_packet().get_string_from_utf8(), event[3]])
            heard += 1
            if heard == 4:
                server.peer_disconnect_later(7)
        ENetConnection.EVENT_DISCONNECT:
            print("disconnected, data %d" % event[2])
            get_tree().quit()
        ENetConnection.EVENT_ERROR:
            get_tree().quit(1)

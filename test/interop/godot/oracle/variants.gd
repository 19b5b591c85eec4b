# For each line of hex in the file ORACLE_IN, one JSON line: whether the engine read it as a Variant, its type, and the
# hex of what the engine writes for the value that it read.
extends SceneTree

func _init():
    var file = File.new()
    file.open(OS.get_environment("ORACLE_IN"), File.READ)
    while not file.eof_reached():
        var line = file.get_line()
        if line != "":
            echo(bytes(line))
    quit()

func bytes(hex):
    var b = PoolByteArray()
    for i in range(0, hex.length(), 2):
        b.append(("0x" + hex.substr(i, 2)).hex_to_int())
    return b

func echo(b):
    # Wrapped into an array, so that an unreadable value (null) and an encoded null look different.
    var wrapped = PoolByteArray([0x13, 0, 0, 0, 1, 0, 0, 0])
    wrapped.append_array(b)
    var s = StreamPeerBuffer.new()
    s.put_32(wrapped.size())
    s.put_data(wrapped)
    s.seek(0)
    var value = s.get_var()
    var out = { "ok": typeof(value) == TYPE_ARRAY }
    if out.ok:
        var w = StreamPeerBuffer.new()
        w.put_var(value[0])
        out.type = typeof(value[0])
        out.hex = w.data_array.subarray(4, w.data_array.size() - 1).hex_encode()
    print(to_json(out))

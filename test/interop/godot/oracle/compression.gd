# For each line "compress MODE HEX" or "decompress MODE SIZE HEX" of the file ORACLE_IN, one JSON line with what the engine
# makes of it. Modes are those of File: 0 FastLZ, 1 deflate (zlib), 2 zstd.
extends SceneTree

func _init():
    var file = File.new()
    file.open(OS.get_environment("ORACLE_IN"), File.READ)
    while not file.eof_reached():
        var words = file.get_line().split(" ")
        var mode = int(words[1]) if words.size() > 1 else 0
        if words[0] == "compress":
            print(to_json({ "hex": bytes(words[2]).compress(mode).hex_encode() }))
        elif words[0] == "decompress":
            print(to_json({ "hex": bytes(words[3]).decompress(int(words[2]), mode).hex_encode() }))
    quit()

func bytes(hex):
    var b = PoolByteArray()
    for i in range(0, hex.length(), 2):
        b.append(("0x" + hex.substr(i, 2)).hex_to_int())
    return b

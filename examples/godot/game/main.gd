# The window: a name, an address, who is here, and a button. Without a window (godot3-server, or --auto) it joins by itself:
#   --name=Ann --host=127.0.0.1 --port=7777 --start=2 (begin with so many players)
extends Control

var fields = {}
var list = ItemList.new()
var state = Label.new()

func _ready():
    pause_mode = PAUSE_MODE_PROCESS
    lobby.pause_mode = PAUSE_MODE_PROCESS
    build()
    lobby.connect("changed", self, "_changed")
    lobby.connect("began", self, "_began")
    lobby.connect("ended", self, "_ended")
    if OS.has_feature("Server") or option("auto", "") != "":
        _join()

func build():
    var box = VBoxContainer.new()
    box.anchor_right = 1
    box.anchor_bottom = 1
    add_child(box)
    for key in ["name", "host", "port"]:
        fields[key] = LineEdit.new()
        fields[key].placeholder_text = key
        box.add_child(fields[key])
    fields["name"].text = option("name", lobby.my_info.name)
    fields["host"].text = option("host", "127.0.0.1")
    fields["port"].text = option("port", "7777")
    for button in [["Join", "_join"], ["Start", "_start"]]:
        var b = Button.new()
        b.text = button[0]
        b.connect("pressed", self, button[1])
        box.add_child(b)
    list.rect_min_size = Vector2(0, 120)
    box.add_child(list)
    box.add_child(state)

func option(key, otherwise):
    for argument in OS.get_cmdline_args():
        if argument.begins_with("--" + key + "="):
            return argument.substr(key.length() + 3)
    return otherwise

func _join():
    lobby.my_info.name = fields["name"].text
    if lobby.join(fields["host"].text, int(fields["port"].text)) != OK:
        tell("no such address")

func _start():
    lobby.ask_start()

func names():
    var all = [lobby.my_info.name]
    for id in lobby.player_info:
        all.append(lobby.player_info[id].name)
    all.sort()
    return all

func _changed():
    list.clear()
    for name in names():
        list.add_item(name)
    tell(PoolStringArray(names()).join(", "))
    if str(names().size()) == option("start", ""):
        _start()

func _began():
    tell("the game begins, with " + PoolStringArray(names()).join(", "))

func _ended(why):
    tell(why)
    lobby.leave()
    if OS.has_feature("Server"):
        get_tree().quit()

func tell(text):
    state.text = text
    print(text)

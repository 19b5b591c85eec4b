-- No window is needed to talk; set LOVE_WINDOW=1 to see one.
function love.conf(t)
  t.identity = "vaiven-enet"
  local window = os.getenv("LOVE_WINDOW") == "1"
  t.modules.window = window
  t.modules.graphics = window
  t.modules.audio = false
  t.modules.joystick = false
end

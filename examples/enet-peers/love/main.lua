-- A LÖVE program that talks to a vaiven host through LÖVE's own ENet. Run: love examples/enet-peers/love [host:port]
local enet = require("enet")

local lines = {}
local host, server
local since, said = 0, 0

local function tell(text)
  lines[#lines + 1] = text
  print(text)
  io.flush()
end

function love.load(arguments)
  host = enet.host_create()
  -- Two channels, and 42 as the number that comes with the connect. Say the address in numbers: LÖVE's ENet knows IPv4 only.
  server = host:connect(arguments[1] or "127.0.0.1:7777", 2, 42)
end

local function receive(event)
  if event.type == "connect" then
    tell("connected")
    server:send("hello from LÖVE", 0, "reliable")
  elseif event.type == "receive" then
    tell(("heard %q on channel %d"):format(event.data, event.channel))
  elseif event.type == "disconnect" then
    -- 31 seconds of silence or a word from the server; the number is the server's reason (0 for silence).
    tell("disconnected, data " .. event.data)
    love.event.quit()
  end
end

function love.update(dt)
  -- Once per frame, until nothing is left.
  local event = host:service()
  while event do
    receive(event)
    event = host:service()
  end
  since = since + dt
  if since >= 0.5 and server:state() == "connected" then
    since, said = 0, said + 1
    -- A goodbye of its own turn: ENet up to 1.3.17 sends rubbish for what is not reliable in the same turn as disconnect_later.
    if said == 4 then return server:disconnect_later(7) end
    -- Positions: the newest wins ("unreliable"), or any order ("unsequenced").
    server:send(("x=%d"):format(said * 10), 1, said % 2 == 0 and "unreliable" or "unsequenced")
  end
end

function love.draw()
  for i = math.max(1, #lines - 20), #lines do
    love.graphics.print(lines[i], 10, 16 * (i - math.max(1, #lines - 20)) + 10)
  end
end

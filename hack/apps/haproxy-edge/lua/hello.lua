package.path = package.path .. ";/etc/haproxy/lua/?.lua"

core.register_service("hello", "http", function(applet)
    local text = require("text")
    local response = text.greet(applet.headers["user-agent"][0])
    applet:set_status(200)
    applet:add_header("content-type", "text/plain")
    applet:start_response()
    applet:send(response)
end)

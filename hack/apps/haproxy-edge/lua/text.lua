return { greet = function(who) return "Lua greets " .. who .. "\n" end }

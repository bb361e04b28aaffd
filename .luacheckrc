std = "lua54"
max_line_length = 100
self = false -- a method need not use its object
exclude_files = { "build*/**", "runs/**" }
files["tests/**/*_spec.lua"].std = "+busted"

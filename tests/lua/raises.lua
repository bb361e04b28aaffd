--- raises(f, pattern): f must fail with an error that names a line of the calling spec and goes on
--- with the pattern. (luassert's own check cuts the place off.)

---@param f fun()
---@param pattern string
return function(f, pattern)
  local spec = debug.getinfo(2, "S").short_src:match "[^/]*$"
  local ok, message = pcall(f)
  assert(not ok, "expected an error")
  local place, rest = tostring(message):match "^([^\n]-:%d+): (.*)$"
  assert(place and place:find(spec, 1, true), ("expected a line of %s in: %s"):format(spec,
    tostring(message)))
  assert(rest:find(pattern), ("expected '%s' in: %s"):format(pattern, rest))
end

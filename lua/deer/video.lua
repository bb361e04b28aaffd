--- Films: pictures of equal size, one after another.
---
---   local film = deer.video("walk.mp4", { fps = 25 })
---   film:add(env:render())
---   local path, note = film:close()
---
--- The ending of the name decides what it will be: .mp4, made by the program ffmpeg; .png or .apng,
--- an animated PNG; .gif, of at most 256 colours in a picture. Where there is no ffmpeg, or it
--- fails, an .mp4 becomes an animated PNG, which browsers show as well. Nothing is written before
--- close; #film is the number of pictures.

local core = require "deer.core"
local options = require "deer.options"
local text = require "deer.text"

---@class deer.Video: userdata
---@field add fun(self, picture: deer.Tensor): deer.Video bytes {rows, columns, 3}, as render gives
---@field close fun(self): string|nil, string|nil writes the film; returns its path and, when that
---  is not the one asked for, why; or nil and why it could not be written

local OPTIONS = options.list{
  fps = { default = 25, type = "number", range = { 0.1, 240 }, help = "pictures in a second" },
}

--- A film without pictures.
---@param path string where close writes it
---@param given? { fps: number? }
---@return deer.Video
return function(path, given)
  if type(path) ~= "string" then
    text.fail("deer.video: expected the path of a file, got %s", text.describe(path))
  end
  return core.video(path, options.check("deer.video", OPTIONS, given).fps)
end

--- Event files, which TensorBoard shows: records of a length, its checksum, bytes and their
--- checksum (TFRecord), where the bytes are a message Event in protobuf's encoding.

local EventFile = {}
EventFile.__index = EventFile

---@class deer.EventFile

-- CRC-32C (Castagnoli), byte by byte
local TABLE = {}
for byte = 0, 255 do
  local crc = byte
  for _ = 1, 8 do crc = crc & 1 == 1 and crc >> 1 ~ 0x82f63b78 or crc >> 1 end
  TABLE[byte] = crc
end

local function crc32c(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do crc = TABLE[(crc ~ bytes:byte(i)) & 0xff] ~ crc >> 8 end
  return crc ~ 0xffffffff
end

-- a checksum of bytes that hold checksums themselves: turned and moved
local function masked(bytes)
  local crc = crc32c(bytes)
  return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff
end

local function record(bytes)
  local length = string.pack("<I8", #bytes)
  return length .. string.pack("<I4", masked(length)) .. bytes .. string.pack("<I4", masked(bytes))
end

-- ---- protobuf ----------------------------------------------------------------------------------

-- seven bits a byte, the lowest first
local function varint(n)
  local bytes = {}
  repeat
    local low = n & 0x7f
    n = n >> 7
    bytes[#bytes + 1] = string.char(n > 0 and low | 0x80 or low)
  until n == 0
  return table.concat(bytes)
end

local VARINT, DOUBLE, BYTES, FLOAT = 0, 1, 2, 5

local function key(field, kind) return varint(field << 3 | kind) end

local function message(field, bytes) return key(field, BYTES) .. varint(#bytes) .. bytes end

local function event(time, step, content)
  return key(1, DOUBLE) .. string.pack("<d", time) .. key(2, VARINT) .. varint(step) .. content
end

-- ---- the file ----------------------------------------------------------------------------------

--- Begins a file.
---@param path string
---@param time number seconds since 1970
---@return deer.EventFile|nil
---@return string|nil message
function EventFile.create(path, time)
  local file, reason = io.open(path, "wb")
  if not file then return nil, reason end
  local self = setmetatable({ file = file }, EventFile)
  local done
  done, reason = self:append(event(time, 0, message(3, "brain.Event:2")))
  if not done then return nil, reason end
  return self
end

function EventFile:append(bytes)
  local done, reason = self.file:write(record(bytes))
  if done then done, reason = self.file:flush() end
  if not done then return nil, reason end
  return true
end

--- Adds numbers, all in one event.
---@param time number seconds since 1970
---@param step integer
---@param row table[] { tag, number }
---@return true|nil done
---@return string|nil message
function EventFile:add(time, step, row)
  local values = {}
  for i, pair in ipairs(row) do
    local value = message(1, pair[1]) .. key(2, FLOAT) .. string.pack("<f", pair[2])
    values[i] = message(1, value)
  end
  return self:append(event(time, step, message(5, table.concat(values))))
end

function EventFile:close() self.file:close() end

return EventFile

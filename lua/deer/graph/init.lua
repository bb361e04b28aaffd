--- The graph builder: describe a computation once, compile it, run it many times at the speed of C.
---
---   local g = deer.graph.new()
---   local x, y = g:input("x", {32, 4}), g:input("y", {32, 1})
---   local net = deer.network{ {"dense", units = 64}, inputs = {4}, outputs = 1 }
---   local loss = ((net:apply(x) - y) ^ 2):mean()
---   local updates = deer.opt.adam{ lr = 1e-3 }:minimize(loss, net)
---   local step = g:compile{ outputs = { loss }, updates = updates }
---   print(step:run{ x = ..., y = ... })
---
--- Nodes have shapes that never change and nothing is broadcast: `expand` says which axes are new.
--- Numbers may stand beside nodes. Axes and positions are 0-based. A mistake is raised at the line
--- that makes it. Graph, programs and tensors may be dropped in any order.
---
--- This file says what there is; it is written in C (src/bind/graph.c, builders.c, program.c).

local core = require "deer.core"

---@alias deer.Shape integer[] dimensions; {} is a scalar
---@alias deer.Operand deer.Node|number

---@class deer.Graph
---@field input fun(self, name: string, shape?: deer.Shape, dtype?: string): deer.Node filled before
---  each run; "float32" (the default), "uint8" or "int32"
---@field variable fun(self, name: string, tensor: deer.Tensor): deer.Node the memory of a tensor,
---  read at each run and written by updates
---@field constant fun(self, value: number|table, shape?: deer.Shape): deer.Node
---@field concat fun(self, parts: deer.Node[], axis?: integer): deer.Node along the last axis unless
---  another is given
---@field stack fun(self, parts: deer.Node[], axis?: integer): deer.Node along a new axis, the first
---@field pack fun(self, parts: deer.Node[], offsets: integer[], size: integer): deer.Node a flat
---  block with the parts laid into zeros
---@field gradients fun(self, loss: deer.Node, of: deer.Node|deer.Node[]): deer.Node|deer.Node[]
---  d loss / d node for each, as nodes: they can be differentiated again
---@field assign fun(self, variable: deer.Node, value: deer.Operand): deer.Update
---@field compile fun(self, options: { outputs?: deer.Node|deer.Node[], updates?: table,
---  inputs?: deer.Node[] }): deer.Program with `inputs` the program takes its inputs in this order
---  instead of by name
---@field text fun(self): string one node a line
---@field dot fun(self): string for Graphviz

---@class deer.Update an assignment, done at the end of each run in the order of making

---@class deer.Node
---@operator add(deer.Operand): deer.Node
---@operator sub(deer.Operand): deer.Node
---@operator mul(deer.Operand): deer.Node
---@operator div(deer.Operand): deer.Node
---@operator pow(number): deer.Node
---@operator unm: deer.Node
---@field shape fun(self): integer[]
---@field dtype fun(self): string
---@field graph fun(self): deer.Graph
---@field name fun(self, name: string): deer.Node gives it a name for messages and dumps
---@field madeAt fun(self): string the line that made it: "dqn.lua:12"
---@field add fun(self, y: deer.Operand): deer.Node
---@field sub fun(self, y: deer.Operand): deer.Node
---@field mul fun(self, y: deer.Operand): deer.Node element by element
---@field div fun(self, y: deer.Operand): deer.Node
---@field minimum fun(self, y: deer.Operand): deer.Node the smaller, element by element
---@field maximum fun(self, y: deer.Operand): deer.Node the larger, element by element
---@field greater fun(self, y: deer.Operand): deer.Node 1 where self > y, else 0
---@field where fun(self, x: deer.Operand, y: deer.Operand): deer.Node x where self ~= 0, else y
---@field scale fun(self, factor: number): deer.Node
---@field shift fun(self, term: number): deer.Node
---@field clip fun(self, low: number, high: number): deer.Node
---@field neg fun(self): deer.Node
---@field abs fun(self): deer.Node
---@field sign fun(self): deer.Node
---@field exp fun(self): deer.Node
---@field log fun(self): deer.Node
---@field sqrt fun(self): deer.Node
---@field square fun(self): deer.Node
---@field tanh fun(self): deer.Node
---@field sigmoid fun(self): deer.Node
---@field relu fun(self): deer.Node
---@field huber fun(self, threshold?: number): deer.Node Huber 1964; the threshold is 1 unless given
---@field stop fun(self): deer.Node the same value, through which no gradient passes
---@field cast fun(self): deer.Node uint8 or int32 to float32
---@field sum fun(self, axes?: integer|integer[]): deer.Node over all axes unless some are given
---@field mean fun(self, axes?: integer|integer[]): deer.Node
---@field max fun(self, axis?: integer): deer.Node largest along an axis, the last unless given
---@field argmax fun(self, axis?: integer): deer.Node int32
---@field gather fun(self, index: deer.Node): deer.Node one per row: x [..., n], index [...]
---@field take fun(self, index: deer.Node): deer.Node several per row: x [..., n], index [..., m]
---@field put fun(self, index: deer.Node, n: integer): deer.Node x [..., m] added at index into
---  zeros [..., n]
---@field matmul fun(self, y: deer.Node, transpose_self?: boolean, transpose_y?: boolean): deer.Node
---@field affine fun(self, w: deer.Node, b: deer.Node): deer.Node x w + b: [batch, n], [n, m], [m]
---@field conv2d fun(self, filters: deer.Node, stride_h?: integer, stride_w?: integer): deer.Node
---@field maxpool2d fun(self, h: integer, w?: integer): deer.Node
---@field expand fun(self, shape: deer.Shape|deer.Node, axes?: integer[]): deer.Node repeated to a
---  shape, or to that of a node; axes[i] is where axis i comes to lie
---@field reshape fun(self, shape: deer.Shape): deer.Node one dimension may be -1
---@field transpose fun(self, axes?: integer[]): deer.Node axis i of the result is axes[i]
---@field slice fun(self, axis: integer, start: integer, length: integer): deer.Node
---@field pad fun(self, axis: integer, start: integer, length: integer): deer.Node it lies at
---  `start` of an axis of `length`, zeros around it
---@field view fun(self, offset: integer, shape: deer.Shape): deer.Node part of a flat block

--- Inputs keep their values until they are given new ones, so those that do not change are set
--- once. Outputs that are no scalars come as tensors that show the program's memory: the next run
--- overwrites them, clone() keeps them.
---@class deer.Program
---@field run fun(self, inputs?: table<string, deer.Value>): number|deer.Tensor ... the outputs
---@field set fun(self, inputs: table<string, deer.Value>): deer.Program as run, without running
---@field input fun(self, name: string): deer.Tensor the program's own memory: filling it saves the
---  copy that run makes
---@field output fun(self, i: integer): deer.Tensor what output i of the list left, from 1
---@field inputs fun(self): string[] their names
---@field steps fun(self): integer kernels called in a run
---@field close fun(self) gives its memory back; tensors that showed it become empty

---@alias deer.Value number|table|deer.Tensor|string

---@class deer.Tensor
---@field set fun(self, value: deer.Value): deer.Tensor
---@field setRow fun(self, i: integer, value: deer.Value): deer.Tensor part i of the first axis,
---  from 1
---@field get fun(self, ...: integer): number|table the element at these positions, from 1; nested
---  tables where axes are left over
---@field fill fun(self, number: number): deer.Tensor
---@field mix fun(self, other: deer.Tensor, share: number): deer.Tensor every element moves this
---  share of the way to the other's
---@field clone fun(self): deer.Tensor
---@field shape fun(self): integer[]
---@field dtype fun(self): string
---@field totable fun(self): table|number
---@field bytes fun(self): string

local graph = {}

--- An empty graph.
---@type fun(): deer.Graph
graph.new = core.graph

return graph

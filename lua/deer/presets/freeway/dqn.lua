--- As space_invaders/dqn, in Freeway, where cars are timed: two frames at once. After 5 million
--- frames (seed 1) it crosses 65 times an episode in training and 67 times without exploration; 50
--- times, the figure of the paper, after 600 000. With the paper's own options training is at 52
--- after 2.4 million.
local preset = require("deer.preset").load "space_invaders/dqn"
preset.environment = "freeway"
preset.wrappers = { { "FrameStack", { frames = 2 } } }
return preset

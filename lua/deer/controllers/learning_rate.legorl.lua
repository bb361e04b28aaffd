-- as in LegoRL's default configuration
return { initial_learning_rate = 0.005, learning_rate_decay = 0.99 }

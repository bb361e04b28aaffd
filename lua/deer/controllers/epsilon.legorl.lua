-- as in LegoRL's default configuration
return { initial_e = 1, e_decays = 100, e_min = 0.001 }

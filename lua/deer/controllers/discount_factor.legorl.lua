-- as in LegoRL's default configuration
return { initial_discount_factor = 0.9, discount_factor_growth = 0.99, discount_factor_max = 0.95 }

-- an engine twice as strong
return { power = 2 }

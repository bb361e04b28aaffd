-- hills half as high
return { height = 0.5 }

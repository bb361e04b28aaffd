-- the gravity of the moon
return { gravity = 1.622 }

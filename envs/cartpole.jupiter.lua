-- more than the gravity of Jupiter
return { gravity = 30 }

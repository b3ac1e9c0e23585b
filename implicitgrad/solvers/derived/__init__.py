"""What follows from an answer: y at the value of x, derivatives along a change of x, second derivatives, warnings."""

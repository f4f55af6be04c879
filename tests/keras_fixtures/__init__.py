"""Training runs of real Keras, stored, and the scripts that made them."""

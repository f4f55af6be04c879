"""Files of whole models and of weights. The public addresses are model.save, load_model and tinynet.saving."""

"""Model quality: metrics of predictions against the truth, as Model Monitor writes them."""

"""The `sagemaker-scikit-learn` image in script mode: your training script, your serving handlers.

It starts without NumPy and scikit-learn; a script that imports them finds what is installed here.
"""

"""The `sagemaker-xgboost` image in algorithm mode, on the real XGBoost library: training and serving.

What it accepts, prints and answers follows the open-source container of AWS; its words are our own.
"""

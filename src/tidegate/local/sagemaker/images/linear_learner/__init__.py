"""The local Linear Learner image: the documented behaviour of SageMaker's built-in algorithm, on NumPy.

Amazon's implementation is closed; everything here follows its public documentation, and each module says
where the local one knowingly differs. Run as ``python -m tidegate.local.sagemaker.images.linear_learner
train|serve``.
"""

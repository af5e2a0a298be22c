"""What SageMaker keeps without running anything: models, endpoint configurations and tags."""

from tidegate.local.sagemaker.control import endpoint_configs, models, tags

OPERATIONS = {**models.OPERATIONS, **endpoint_configs.OPERATIONS, **tags.OPERATIONS}
"""The operations of this room, by SageMaker's name for them."""

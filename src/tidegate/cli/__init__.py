"""The command line: one verb a module, speaking boto3 to the local cloud or to AWS; nothing imports it."""

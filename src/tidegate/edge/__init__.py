"""Where the functions touch AWS: objects in S3 and what every handler logs. The decisions stay in `core`."""

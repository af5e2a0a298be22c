"""MiniStack, made to behave as AWS where Tidegate touches it; `names` alone knows its inner names."""

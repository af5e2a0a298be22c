"""Broken inputs, made by code: for each reader a table of names with what makes the bytes.

Every one must be answered with one clear sentence, without a crash and in bounded memory.
"""

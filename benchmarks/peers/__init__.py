"""What each peer does in `benchmarks/profile.py`: `python PEER.py FILE [WINDOW]`, run by a venv of its own.

Each says `ready` on its first line of output when its imports and session stand, so that start-up can be
told apart from the work.
"""

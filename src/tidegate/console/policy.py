"""What a browser may do with a page of ours: show it, with the style that it brings, and nothing else."""

from __future__ import annotations

import base64
import hashlib


def policy(style: str) -> str:
    """Give the Content-Security-Policy of a page that needs no network and has no script.

    Parameters
    ----------
    style : str
        The whole of the page's one style element: allowed by its hash, so that no other is.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"

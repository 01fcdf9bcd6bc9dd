"""The verdict of a study on routing: its tables, its pictures, and the page that they are in."""

from __future__ import annotations

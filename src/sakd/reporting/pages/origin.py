"""The origin of a report: settings, command and machine, as far as they are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Origin:
    """The origin of a report; what is not known stays empty, and the report says so.

    Attributes:
        settings: All that the cells were trained with; may be nested.
        defaults: The values of these settings where nobody sets them.
        base: Their values in ``conf/base``.
        environment: The environment that was asked for; ``base`` where none was named.
        command: The command that made the report.
        place: The path from the folder of the report to the project.
        made: Date and time of the report, UTC.
        provenance: Git revision, versions and device of the run that made the report.
    """

    settings: Mapping[str, object] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    base: Mapping[str, object] = field(default_factory=dict)
    environment: str = ""
    command: str = ""
    place: str = ""
    made: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)

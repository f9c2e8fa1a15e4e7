"""Every error that the lab raises on purpose.

The message is one or more plain sentences that a person can act on: what is wrong, what was given, and the way out.
It is shown as it stands, on the screen and by the command line, so it never holds a trace or a class name.
"""


class TuningError(Exception):
    """Base of all errors that the lab raises on purpose."""


class UsageError(TuningError, ValueError):
    """What was asked for cannot be: an unknown key, a value out of range, options that contradict each other."""


class DataError(TuningError, ValueError):
    """A table cannot be read, or cannot be tuned on as it is."""


class ConfigurationError(UsageError):
    """A configuration lies outside its search space. Names every fault at once."""


class StorageError(TuningError):
    """A study storage cannot be opened, read or written."""


class StudyBusyError(TuningError):
    """Another runner, still alive, owns the study."""


class FitError(TuningError):
    """One fit gave no score. The trial that it belongs to fails with this sentence; the study goes on."""


class DiscoveryError(TuningError):
    """A file that declares a method, model, data set, landscape or plot is broken. Raised at import, never hidden."""

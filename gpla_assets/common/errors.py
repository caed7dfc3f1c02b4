"""The base of all errors that users may see without a traceback."""


class KnownError(Exception):
    """A fault that is understood.

    Its message names the thing, the value found, the value expected and what to do, so the command
    line prints the message alone. An error class of the project derives from it beside the built-in
    one that callers in Python would expect: `class StudyError(KnownError, ValueError)`. Whatever
    does not derive from it is a fault of the program, and its traceback is shown.
    """


class BackendUnavailable(KnownError, RuntimeError):
    """A backend or model that this version or this machine cannot run; says what to choose."""


class UnknownBackend(KnownError, ValueError):
    """A backend name that no file implements; the message lists the known ones."""

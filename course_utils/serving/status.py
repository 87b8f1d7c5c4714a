"""Who answers, and the errors of requests: codes of gRPC with the HTTP status that goes with each."""

BANNER = "course-utils teaching server, not TensorFlow Serving"
_HTTP = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409, "RESOURCE_EXHAUSTED": 429, "CANCELLED": 499, "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}  # fmt: skip


class ServingError(Exception):
    """A status that is not OK.

    Attributes
    ----------
    code : str
        A gRPC status code, such as ``"NOT_FOUND"``.
    message : str
    http : int
        The HTTP status that goes with it.
    """

    def __init__(self, code, message, http=None):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.http = code, message, http or _HTTP.get(code, 500)


def invalid(message):
    """Make the ServingError, with `message`, of a request that is not as it must be."""
    return ServingError("INVALID_ARGUMENT", message)

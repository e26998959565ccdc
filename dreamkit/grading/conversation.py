"""How the grader and a submission talk: two processes that call each other's functions.

A learner's answer may be a number or a function. What crosses the pipe is plain data, as JSON, so
the grader never runs a submission's code or unpickles its objects. A function stays where it is:
the other side gets a stand-in for it, and calling the stand-in sends the arguments over and waits
for the result.
"""

import base64
import json
import keyword

import numpy as np

LARGEST = 2**26  # bytes of a message
DEEPEST = 6  # calls inside calls
KINDS = "biufcU"  # arrays of numbers, truth values and text
SEQUENCES = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


class ConversationError(Exception):
    """The other side ended, or sent something that isn't a message."""


class Other:
    """Stands for an object that cannot be sent: it is no exercise's answer."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"<{self.name}>"


class Conversation:
    """One end of a pipe: `call` a function on the other side, and answer its calls meanwhile.

    Args:
        reader, writer: binary files, one for each direction.
        functions: what the other side may call by name from the start, {name: function}.
    """

    def __init__(self, reader, writer, functions=()):
        self.reader, self.writer = reader, writer
        self.functions = dict(functions)
        self.depth = 0
        self.busy = False  # in the middle of a message, when an alarm must wait

    def call(self, name, *arguments):
        """Call a function on the other side.

        Raises:
            ConversationError: the other side ended.
            Exception: of a class named like the function's own error.
        """
        self._send({"call": name, "arguments": [self.encode(value) for value in arguments]})
        while "call" in (message := self._receive()):
            self._answer(message)
        if "error" in message:
            raise _error(*message["error"])
        for index in message["changed"]:
            _spoil(arguments[index])
        return self.decode(message["result"])

    def serve(self):
        """Answer calls until the other side ends."""
        while message := self._receive(end=True):
            self._answer(message)

    def _answer(self, message):
        try:
            self.depth += 1
            if self.depth > DEEPEST:
                raise RecursionError("too many calls inside calls")
            arguments = [self.decode(value) for value in message["arguments"]]
            before = [self.encode(value) for value in arguments]
            result = self.encode(self.functions[message["call"]](*arguments))
            after = [self.encode(value) for value in arguments]
            changed = [
                i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new
            ]
            reply = {"result": result, "changed": changed}
        except ConversationError:
            raise
        except Exception as error:
            reply = {"error": [type(error).__name__, str(error)[:500]]}
        finally:
            self.depth -= 1
        self._send(reply)

    def _send(self, message):
        data = json.dumps(message).encode() + b"\n"
        if len(data) > LARGEST:
            raise ValueError(f"an answer of {len(data) / 2**20:.0f} MiB is too large")
        self.busy = True
        try:
            self.writer.write(data)
            self.writer.flush()
        except OSError as error:
            raise ConversationError("the other side ended") from error
        finally:
            self.busy = False

    def _receive(self, end=False):
        self.busy = True
        try:
            line = self.reader.readline(LARGEST + 1)
        finally:
            self.busy = False
        if not line and end:
            return None
        try:
            message = json.loads(line)
            known = {"call", "arguments"}, {"result", "changed"}, {"error"}
            if set(message) not in known:
                raise ValueError
        except (ValueError, TypeError, RecursionError):
            reason = "the other side ended" if not line else "that wasn't a message"
            raise ConversationError(reason) from None
        return message

    def encode(self, value):
        """A value as JSON; functions become names that `functions` knows."""
        if value is None or isinstance(value, bool | str):
            return value if not isinstance(value, str) else str(value)
        if value is ...:
            return {"dots": True}
        if isinstance(value, np.generic):
            return self.encode(value.item())
        if isinstance(value, int | float):
            return value
        for name, kind in SEQUENCES.items():
            if isinstance(value, kind):
                return {name: [self.encode(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self.encode(key), self.encode(item)] for key, item in value.items()]}
        if type(value).__name__ == "DataFrame":
            parts = [value[name].to_numpy() for name in value.columns]
            return {"table": [self.encode(part) for part in (list(value), value.index, *parts)]}
        if callable(value) and not hasattr(value, "__array__"):
            name = f"{getattr(value, '__name__', 'function')} {id(value)}"
            self.functions[name] = value
            return {"function": name}
        return self._encode_array(value)

    def _encode_array(self, value):
        try:  # TensorFlow's tensors and pandas' columns have `__array__`
            array = np.asarray(value) if hasattr(value, "__array__") else None
        except Exception:  # a learner's own class may fail in any way
            array = None
        if array is None:
            return {"other": type(value).__name__}
        if array.dtype.kind not in KINDS:
            return {"objects": self.encode(array.tolist())}
        data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
        return {"array": [array.dtype.str, array.shape, data]}

    def decode(self, value):
        """The value that `encode` turned into JSON."""
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        if kind in SEQUENCES:
            return SEQUENCES[kind](self.decode(item) for item in content)
        if kind == "dict":
            return {self.decode(key): self.decode(item) for key, item in content}
        return getattr(self, f"_decode_{kind}")(content)

    def _decode_dots(self, content):
        return ...

    def _decode_other(self, name):
        return Other(str(name)[:40])

    def _decode_function(self, name):
        def stand_in(*arguments):
            return self.call(name, *arguments)

        return stand_in

    def _decode_objects(self, content):
        return np.array(self.decode(content), dtype=object)

    def _decode_array(self, content):
        dtype, shape, data = content
        if np.dtype(dtype).kind not in KINDS:
            raise ValueError("an array of that kind cannot be sent")
        return np.frombuffer(base64.b64decode(data), dtype).reshape(shape).copy()

    def _decode_table(self, content):
        import pandas as pd

        names, index, *columns = (self.decode(part) for part in content)
        return pd.DataFrame(dict(zip(names, columns, strict=True)), index=index)


def _error(name, message):
    """An exception whose class has this name; the other side chose it, so it may be anything."""
    valid = str(name).isidentifier() and not keyword.iskeyword(str(name)) and len(name) < 40
    return type(name if valid else "Error", (Exception,), {})(str(message))


def _spoil(argument):
    """Change an argument as the other side changed its copy, enough to be noticed."""
    if isinstance(argument, np.ndarray) and argument.size:
        argument.flat[0] += 1
    elif hasattr(argument, "clear"):
        argument.clear()
    elif hasattr(argument, "drop"):
        argument.drop(argument.index, inplace=True)

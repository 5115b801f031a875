"""A process of its own that reads files, held to limits: how it starts, is talked to and ends.

A file that exhausts memory, never ends or crashes a parser takes down this process, not the one that asked. It
is a plain child instead of `multiprocessing`, which would run the caller's script anew. What it works with comes
in a message, never on the command line, where others could read it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ncdsurv.errors import InputError, NcdsurvError
from ncdsurv.registry.limits import PEAK_BYTES, frugal, limit_memory, limit_time, seconds_for, too_large
from ncdsurv.registry.messages import receive, send

_FAREWELL = 5
PATIENCE = 3
"""How many times its processor time a request may take by the clock, for machines that do much else."""

_WORDS = 1 << 16
_NO_MEMORY = re.compile(
    rb"memory allocation of \d+ bytes failed|MemoryError|Cannot allocate memory|std::bad_alloc"
)
"""What is written by a process that ends for want of memory: its libraries do not always raise an error."""

Request = tuple[Sequence[Path], Callable[[], Any]]
"""Files, and what is to be done with them."""


class KilledError(EOFError):
    """Somebody ended a reader, or the machine did, which does so where its memory ends."""


def died(path: Path, error: BaseException) -> InputError:
    """The refusal of a file over which the reader ended, with the reason as far as it is known.

    Args:
        path: The file.
        error: What `Reader.ask` raised.
    """
    if isinstance(error, MemoryError):
        return too_large(path)
    if isinstance(error, KilledError):
        return InputError(
            "the reader of a file was killed from outside",
            got=path.name,
            do=f"see whether the machine has {PEAK_BYTES >> 20} MB of memory free, then send it again",
        )
    return InputError(
        "a file takes too long to read" if isinstance(error, TimeoutError) else "a file broke the reader",
        got=path.name,
        do="open it and save it anew, or split it by month",
    )


class Reader:
    """A child process and the two pipes to it.

    What it prints over a file may hold a patient's value. It goes to a piece of memory instead of the screen, where
    nothing but the want of memory is looked for.

    Args:
        main: The function it runs, as `module:function`.
        quiet: Nothing it prints is shown; otherwise nothing after it has called `fall_silent`.
    """

    def __init__(self, main: str, *, quiet: bool = False) -> None:
        module, _, function = main.partition(":")
        self._words = _memory_file()
        self.process = subprocess.Popen(
            # Run as a module, its classes would pickle as those of __main__.
            [
                sys.executable,
                "-c",
                f"from {module} import {function}; {function}()",
                str(self._words.fileno()),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words if quiet else None,
            pass_fds=[self._words.fileno()],
            env=frugal(os.environ),
        )

    def ask(self, message: Any, paths: Sequence[Path] = ()) -> Any:
        """Send a message and wait for its answer; see `ask_all`."""
        return self.ask_all(message, paths, lambda answer: False)[0]

    def ask_all(self, message: Any, paths: Sequence[Path], more: Callable[[Any], bool]) -> list[Any]:
        """Send a message and wait for its answer, which may come in parts.

        Args:
            message: Anything that can be pickled.
            paths: The files that the request is about: it may take as long as reading them may; without any,
                it may take its time.
            more: Whether another part follows the one given.

        Raises:
            TimeoutError: It took longer; the process is gone.
            MemoryError: The process died for want of memory.
            EOFError: The process died over it (KilledError: not by itself).
        """
        stopped = threading.Event()
        self._forget_words()  # an idle process may have printed since

        def stop() -> None:
            stopped.set()
            self.process.kill()

        late = threading.Timer(PATIENCE * seconds_for(paths), stop)
        late.daemon = True
        if paths:
            late.start()
        try:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            send(self.process.stdin, message)
            answers = [receive(self.process.stdout)]
            while more(answers[-1]):
                answers.append(receive(self.process.stdout))
            return answers
        except (EOFError, OSError) as error:
            code = self.process.wait()
            if code == -signal.SIGXCPU or stopped.is_set():
                raise TimeoutError from None
            if _NO_MEMORY.search(self._last_words()):
                raise MemoryError from None
            if code == -signal.SIGKILL:
                raise KilledError("the other side was killed") from None
            raise EOFError("the other side died") from error
        finally:
            late.cancel()
            self._forget_words()

    def _forget_words(self) -> None:
        with contextlib.suppress(OSError):  # there is nothing to cut off in /dev/null
            self._words.truncate(0)

    def _last_words(self) -> bytes:
        place = self._words.fileno()
        return os.pread(place, _WORDS, max(0, os.fstat(place).st_size - _WORDS))

    def close(self) -> None:
        """End it, gently first."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            self.process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._words.close()


def _memory_file() -> IO[bytes]:
    """A file that is on no disk; where there is no such thing, what is written to it is lost."""
    if not hasattr(os, "memfd_create"):
        return open(os.devnull, "r+b", buffering=0)
    file = os.fdopen(os.memfd_create("words"), "w+b", buffering=0)
    # Two processes write where it ends, also after it was cut off.
    fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)
    return file


def fall_silent() -> None:
    """In the child: show nothing it prints from now on."""
    os.dup2(int(sys.argv[1]), sys.stderr.fileno())


def ask_once(main: str, message: Any, paths: Sequence[Path]) -> Any:
    """Have one request answered by a process started for it (see `answer_once`).

    Raises:
        InputError: The files broke the reader, or took too long, or needed too much memory.
    """
    reader = Reader(main, quiet=True)
    try:
        answer = reader.ask(message, paths)
    except (TimeoutError, MemoryError, EOFError) as error:
        raise died(paths[0], error) from None
    finally:
        reader.process.kill()
        reader.close()
    if isinstance(answer, InputError):
        raise answer
    return answer


def answer_once(prepare: Callable[..., Request]) -> None:
    """The other side of `ask_once`: what is prepared before the first file is read is not held to the limits.

    Args:
        prepare: Takes the parts of the message; gives the files, and what is to be done with them.
    """
    with pipes() as (inbox, outbox):
        paths, work = prepare(*receive(inbox))
        limit_memory()
        limit_time(seconds_for(paths))
        try:
            answer = work()
        except MemoryError:
            answer = too_large(paths[0])
        except NcdsurvError as error:
            answer = InputError(str(error))
        try:
            send(outbox, answer)
        except MemoryError:
            send(outbox, too_large(paths[0]))


@contextlib.contextmanager
def pipes() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The child's ends of the two pipes; a stray print does not enter them, and a parent that is gone ends it."""
    inbox, outbox = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    with contextlib.suppress(EOFError, KeyboardInterrupt, BrokenPipeError):
        yield inbox, outbox

"""Everything that can go wrong while reading, each with its exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; a public interface."""

    DONE = 0
    FAILED = 1
    BAD_ARGUMENTS = 2
    INPUT = 3
    TEMPLATE = 4
    MODEL = 5
    OUTPUT = 6
    PAGE = 7
    INTERRUPTED = 130


class ExtractionError(Exception):
    """Reading cannot go on. The message says what happened, where, and what to do."""

    exit_code = ExitCode.FAILED


class InputFileError(ExtractionError):
    """The input folder is missing or empty, or a file in it cannot be opened."""

    exit_code = ExitCode.INPUT


class TemplateError(ExtractionError):
    """A template says something that cannot be; names file, field, what was found and needed."""

    exit_code = ExitCode.TEMPLATE


class ModelError(ExtractionError):
    """The network's weights are missing, or are not those of its card."""

    exit_code = ExitCode.MODEL


class OutputError(ExtractionError):
    """A result could not be written."""

    exit_code = ExitCode.OUTPUT


class PageError(ExtractionError):
    """One page cannot be read; it goes to pages.csv and the batch goes on."""

    exit_code = ExitCode.PAGE


class AlignmentError(PageError):
    """The page does not match the template."""


class SegmentationError(PageError):
    """The boxes cannot be cut from the aligned page."""

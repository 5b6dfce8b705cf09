"""What a file that is no text seems to be, by its first bytes, and what can be done with it."""

from __future__ import annotations

import codecs

HEAD_BYTES = 1024
"""So much of a file is looked at."""

LIST_ARCHIVE = "List or unpack it with a command (unzip -l, tar -tf)."
CONVERT_IMAGE = "Convert it to PNG with a command, then read that."
NO_SOUND = "Sound and video cannot be shown; ffprobe tells what is in it."
RUN_IT = "Look at its symbols or strings with a command."
DATABASE = "Query it with a command (sqlite3)."
TABLE = "Read it with a script."

_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"PK\x03\x04", "a ZIP archive (or a document made of one, such as .docx, .xlsx, .jar)", LIST_ARCHIVE),
    (0, b"PK\x05\x06", "an empty ZIP archive", ""),
    (0, b"\x1f\x8b", "gzip-compressed", "Unpack it with a command (zcat)."),
    (0, b"BZh", "bzip2-compressed", "Unpack it with a command (bzcat)."),
    (0, b"\xfd7zXZ\0", "xz-compressed", "Unpack it with a command (xzcat)."),
    (0, b"\x28\xb5\x2f\xfd", "zstd-compressed", "Unpack it with a command (zstdcat)."),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "List or unpack it with a command (7z l)."),
    (257, b"ustar", "a tar archive", LIST_ARCHIVE),
    (0, b"\x7fELF", "an ELF program or library", RUN_IT),
    (0, b"\xcf\xfa\xed\xfe", "a Mach-O program or library", RUN_IT),
    (0, b"\xca\xfe\xba\xbe", "a Java class or a Mach-O program", RUN_IT),
    (0, b"MZ", "a Windows program or library", RUN_IT),
    (0, b"\0asm", "a WebAssembly module", RUN_IT),
    (0, b"!<arch>\n", "a static library or a Debian package", LIST_ARCHIVE),
    (0, b"SQLite format 3\0", "an SQLite database", DATABASE),
    (0, b"PAR1", "a Parquet table", TABLE),
    (0, b"ARROW1", "an Arrow table", TABLE),
    (0, b"\x89HDF\r\n", "an HDF5 file", TABLE),
    (0, b"\x93NUMPY", "a NumPy array", TABLE),
    (0, b"BM", "a BMP image", CONVERT_IMAGE),
    (0, b"II*\0", "a TIFF image", CONVERT_IMAGE),
    (0, b"MM\0*", "a TIFF image", CONVERT_IMAGE),
    (0, b"\0\0\1\0", "an icon", CONVERT_IMAGE),
    (4, b"ftyphei", "a HEIC image", CONVERT_IMAGE),
    (4, b"ftypavif", "an AVIF image", CONVERT_IMAGE),
    (4, b"ftyp", "an MP4 video or sound", NO_SOUND),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video", NO_SOUND),
    (0, b"ID3", "an MP3 sound", NO_SOUND),
    (0, b"OggS", "an Ogg sound or video", NO_SOUND),
    (0, b"fLaC", "a FLAC sound", NO_SOUND),
    (8, b"WAVE", "a WAV sound", NO_SOUND),
    (8, b"AVI ", "an AVI video", NO_SOUND),
    (0, b"\xd0\xcf\x11\xe0", "an old Office document", "Convert it with a command (libreoffice --convert-to)."),
    (0, b"wOF", "a web font", ""),
)


def binary_kind(head: bytes) -> tuple[str, str]:
    """What a binary file seems to be, with its article, and advice or nothing."""
    for at, mark, kind, hint in _SIGNATURES:
        if head.startswith(mark, at):
            return kind, hint
    return "a binary file", "If you need to see its bytes, use a command (file, xxd, strings)."


def is_pdf(head: bytes) -> bool:
    """Whether it is a PDF; a byte order mark or blanks before its header are no hindrance."""
    return head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"%PDF-")

"""Prints a requirement file in UTF-8: as pip reads it, by the mark that it begins with, or by what its first lines say. What a
locale would have it be, one host might read so, and the next otherwise.
"""

import codecs
import re
import sys

# In this order: the mark of one begins with that of another, for which pip takes it.
MARKS = [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, None), (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")]
HELP = "write it in UTF-8, or say the encoding in its first line, such as `# coding: latin-1`"


def encoding_of(data):
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data[len(mark) :], encoding
    for line in data.split(b"\n")[:2]:
        said = re.search(rb"coding[:=]\s*([-\w.]+)", line) if line.startswith(b"#") else None
        if said:
            return data, said.group(1).decode()
    return data, "utf-8"


with open(sys.argv[1], "rb") as file:
    data, encoding = encoding_of(file.read())
try:
    if encoding is None:
        sys.exit(f"the requirement file {sys.argv[1]} is in UTF-32 with its low bytes first, which no installer reads; {HELP}")
    text = data.decode(encoding)
except (LookupError, UnicodeError) as error:
    sys.exit(f"the requirement file {sys.argv[1]} can't be read: {error}; {HELP}")
sys.stdout.buffer.write(text.encode())

"""Rules about written language, each in one place: words, stop words, stems, sentences, dates, near matches.

These modules do not depend on messages or files. Patterns over words cover English and Chinese, and simple cases of
Japanese and Korean; they match nothing in other languages.
"""

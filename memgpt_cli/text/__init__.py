"""Rules about written language, each in one place: words, stop words, stems, sentences, dates, near matches.

Nothing here knows what a message is, and nothing reads a file. Patterns over words cover English and Chinese, and the
plain cases of Japanese and Korean; in other languages they find nothing.
"""

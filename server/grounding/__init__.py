"""Whether sources bear out a sentence: its figures, dates, names and quotations, and what it says beside them."""

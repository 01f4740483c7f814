"""The ledger's tables, as the steps that led to them: an older archive goes on from where it stands."""

FIRST_SHELF = "archivar-passages"  # the collection that a young archive's vectors lie in

# Publication as Unix seconds; a SELECT with this expression to the letter uses the index. unixepoch() would be shorter,
# but is younger (SQLite 3.38) than the library of some systems.
MOMENT = "CAST(strftime('%s', published) AS INTEGER)"

# Articles, passages, notes for the indexes, facts about the archive.
_INITIAL = """
    CREATE TABLE articles (
        id TEXT PRIMARY KEY, source TEXT NOT NULL, url TEXT, title TEXT NOT NULL, teaser TEXT NOT NULL,
        text TEXT NOT NULL, published TEXT, authors TEXT NOT NULL, topics TEXT NOT NULL, comments INTEGER,
        content_hash TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, added TEXT NOT NULL, updated TEXT
    ) STRICT;
    CREATE TABLE passages (
        id TEXT PRIMARY KEY, article_id TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
        position INTEGER NOT NULL, text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX passages_by_article ON passages(article_id);
    CREATE TABLE notes (
        number INTEGER PRIMARY KEY AUTOINCREMENT, passage_id TEXT NOT NULL,
        action TEXT NOT NULL CHECK (action IN ('add', 'remove'))
    ) STRICT;
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"""

# Shelves of vectors by publication time; the one collection of older archives is the first.
_SHELVES = f"""
    CREATE TABLE shelves (
        name TEXT PRIMARY KEY, first INTEGER, after INTEGER, undated INTEGER NOT NULL,
        version INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL CHECK (state IN ('building', 'serving', 'leaving'))
    ) STRICT;
    INSERT INTO shelves VALUES ('{FIRST_SHELF}', NULL, NULL, 1, 0, 'serving');
    CREATE INDEX articles_by_moment ON articles({MOMENT});
    ALTER TABLE notes ADD COLUMN moment INTEGER"""

# An archive that is kept current: articles that were withdrawn, other addresses of an article, what a visit to an
# address found, what was asked to be forgotten (as hashes: a list of what nobody shall know is none), and each run.
_CURRENT = """
    ALTER TABLE articles ADD COLUMN paid INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE articles ADD COLUMN modified TEXT;
    ALTER TABLE articles ADD COLUMN withdrawn TEXT;
    CREATE INDEX articles_by_url ON articles(url);
    CREATE TABLE addresses (
        url TEXT PRIMARY KEY, article_id TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX addresses_by_article ON addresses(article_id);
    CREATE TABLE visits (
        url TEXT PRIMARY KEY, etag TEXT, last_modified TEXT, visited TEXT NOT NULL, missed INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE forgotten (mark TEXT PRIMARY KEY, forgotten TEXT NOT NULL) STRICT;
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, started TEXT NOT NULL, ended TEXT,
        stored INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL DEFAULT 0, unchanged INTEGER NOT NULL DEFAULT 0,
        withdrawn INTEGER NOT NULL DEFAULT 0, rejected INTEGER NOT NULL DEFAULT 0, passages INTEGER NOT NULL DEFAULT 0
    ) STRICT"""

# Each embedder has shelves of its own; those of a new archive are claimed by its first writer.
_EMBEDDERS = """
    ALTER TABLE shelves ADD COLUMN embedder TEXT NOT NULL DEFAULT '';
    UPDATE shelves SET embedder = coalesce((SELECT value FROM facts WHERE name = 'embedder'), '')"""

# Near-identical texts: sketches that find them (see sketches.py), and what was found, each pair once: `article_id`
# resembles `twin_of`, which was published before it.
_TWINS = """
    CREATE TABLE sketches (
        number INTEGER PRIMARY KEY, article_id TEXT NOT NULL UNIQUE REFERENCES articles(id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE bands (
        value INTEGER NOT NULL, day INTEGER NOT NULL,
        number INTEGER NOT NULL REFERENCES sketches(number) ON DELETE CASCADE, PRIMARY KEY (value, day, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX bands_by_sketch ON bands(number);
    CREATE TABLE twins (
        article_id TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
        twin_of TEXT NOT NULL REFERENCES articles(id) ON DELETE CASCADE, similarity REAL NOT NULL,
        PRIMARY KEY (article_id, twin_of)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX twins_by_original ON twins(twin_of)"""

# Articles that a watched feed has named: a hash of what it said last, how often their page was read and could not be
# read in a row, and when it is to be visited next (null: no more).
_WATCHED = """
    CREATE TABLE watched (
        article_id TEXT PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE, entry TEXT NOT NULL,
        visits INTEGER NOT NULL, failures INTEGER NOT NULL DEFAULT 0, due TEXT
    ) STRICT;
    CREATE INDEX watched_by_due ON watched(due)"""

# Shelves that a writer is at: those that are named when the next one comes were left by one that broke off.
_SUSPECTS = "CREATE TABLE suspects (shelf TEXT PRIMARY KEY) STRICT, WITHOUT ROWID"

MIGRATIONS = (_INITIAL, _SHELVES, _CURRENT, _EMBEDDERS, _TWINS, _WATCHED, _SUSPECTS)

"""How long the home page, search words and suggestions are cached."""

#: Seconds a process serves the home page without checking for changes.
HOME_MAX_AGE = 1.0
#: Seconds a process caches whether a search term is common among the newest goods.
COMMON_WORDS_MAX_AGE = 60.0
#: Seconds for which search suggestions may be cached.
SUGGESTIONS_MAX_AGE = 60.0

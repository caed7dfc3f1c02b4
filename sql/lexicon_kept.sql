-- Which values are in the lexicon, and how often were they found?
select rank, "value", frequency, definition
from marts.lexicon
order by rank

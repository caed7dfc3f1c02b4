-- What did the lexicon drop, and why?
select "value", frequency, winner, rule, round(similarity, 3) as similarity
from marts.lexicon_ledger
where not kept
order by frequency desc, "value"

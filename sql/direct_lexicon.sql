-- Which of Schwartz's ten values does a lexicon lack (cosine below 0.53), ours and one asked for directly?
select lexicon, schwartz, nearest, round(cosine, 3) as cosine, missing
from direct_coverage
order by lexicon, cosine
